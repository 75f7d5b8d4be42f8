using Dataflow.Sql.Parsing;

namespace Dataflow.Worker.Shell;

/// <summary>Reads statements from a person at a terminal: several lines each, with those of before at hand. Ctrl+C cancels a query, Ctrl+D ends the shell.</summary>
internal sealed class SqlShell(StatementRunner runner)
{
    private CancellationTokenSource? _running;

    public void Run(CancellationToken cancellation)
    {
        Console.WriteLine("Dataflow SQL. Statements end with a semicolon; .help says what else there is.");
        var editor = new LineEditor(History.Load());
        Console.CancelKeyPress += OnCancel;
        try
        {
            var pending = "";
            while (!runner.IsOver && !cancellation.IsCancellationRequested)
            {
                if (editor.Read(pending.Length == 0 ? "sql> " : "...> ", out var wasCancelled) is not { } line)
                {
                    if (!wasCancelled) break;
                    pending = "";
                    continue;
                }
                if (pending.Length == 0 && StatementRunner.IsCommand(line))
                {
                    editor.Remember(line);
                    Guarded(token => runner.RunCommand(line, token), cancellation);
                    continue;
                }
                pending = pending.Length == 0 ? line : $"{pending}\n{line}";
                if (string.IsNullOrWhiteSpace(pending)) pending = "";
                if (!Script.IsComplete(pending)) continue;
                editor.Remember(pending);
                var text = pending;
                pending = "";
                Guarded(token => runner.RunAll(text, token), cancellation);
            }
        }
        finally
        {
            Console.CancelKeyPress -= OnCancel;
            History.Save(editor.Lines);
        }
    }

    private void Guarded(Func<CancellationToken, bool> run, CancellationToken cancellation)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _running = source;
        try
        {
            run(source.Token);
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("Cancelled.");
        }
        finally
        {
            _running = null;
        }
    }

    private void OnCancel(object? sender, ConsoleCancelEventArgs pressed)
    {
        pressed.Cancel = true;
        _running?.Cancel();
    }
}

/// <summary>What was typed before, in a file of the user's.</summary>
internal static class History
{
    private const int Most = 1000;

    private static string FilePath => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".dataflow_sql_history");

    public static List<string> Load()
    {
        try
        {
            // A statement of several lines is one here.
            return File.Exists(FilePath) ? [.. File.ReadLines(FilePath).Where(line => line.Length > 0).TakeLast(Most)] : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"The history can't be read: {error.Message}");
            return [];
        }
    }

    public static void Save(IReadOnlyList<string> lines)
    {
        try
        {
            File.WriteAllLines(FilePath, lines.TakeLast(Most));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"The history can't be written: {error.Message}");
        }
    }
}
