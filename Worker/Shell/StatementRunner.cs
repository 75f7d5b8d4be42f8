using System.Diagnostics;
using System.Globalization;
using Dataflow.Sql;
using Dataflow.Sql.Parsing;

namespace Dataflow.Worker.Shell;

/// <summary>Runs statements and the shell's own commands, which begin with a point, and writes what they give.</summary>
internal sealed class StatementRunner(DataflowContext context, ResultPrinter printer)
{
    private const string Help = """
        Statements end with a semicolon, and may have several lines.
          .tables [PATTERN]    views and tables that queries can read
          .schema NAME         columns of a view or table, or of files such as parquet.`data/orders`
          .explain QUERY       how a query is understood, optimised and computed
          .timing on|off       whether to say how long statements take
          .help                this
          .quit                ends the shell (exit, quit and help work without the point)
        """;

    /// <summary>Whether an error does not end a script.</summary>
    public bool GoesOn { get; init; }

    /// <summary>Whether to say how long statements take.</summary>
    public bool ShowsTime { get; set; }

    /// <summary>Whether any statement failed.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Whether the user wants to go.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Runs a script, each statement as soon as it is read.</summary>
    /// <returns>False if an error ended it.</returns>
    public bool RunScript(TextReader script, CancellationToken cancellation)
    {
        var pending = "";
        while (!IsOver && script.ReadLine() is { } line)
        {
            if (pending.Length == 0 && IsCommand(line))
            {
                if (!RunCommand(line, cancellation) && !GoesOn) return false;
                continue;
            }
            pending = pending.Length == 0 ? line : $"{pending}\n{line}";
            if (!line.Contains(';', StringComparison.Ordinal) || !Script.IsComplete(pending)) continue;
            if (!RunAll(pending, cancellation)) return false;
            pending = "";
        }
        return RunAll(pending, cancellation);
    }

    /// <summary>Whether a line is one of the shell's own commands.</summary>
    public static bool IsCommand(string line) => IsPlainWord(line) || line.TrimStart().StartsWith('.') && line.TrimStart().Length > 1 && char.IsLetter(line.TrimStart()[1]);

    // Who comes from another shell types these without a point; no statement is one of them.
    private static bool IsPlainWord(string line) => line.Trim().TrimEnd(';').TrimEnd().ToLowerInvariant() is "exit" or "quit" or "help";

    /// <summary>Runs all statements of a text.</summary>
    /// <returns>False if an error ended it.</returns>
    public bool RunAll(string text, CancellationToken cancellation)
    {
        foreach (var statement in Script.Split(text))
        {
            if (!Run(statement, cancellation) && !GoesOn) return false;
        }
        return true;
    }

    /// <summary>Runs one of the shell's own commands.</summary>
    /// <returns>False if it failed.</returns>
    public bool RunCommand(string line, CancellationToken cancellation)
    {
        var parts = line.Trim().TrimEnd(';').Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var argument = parts.Length > 1 ? parts[1] : "";
        switch ((IsPlainWord(line) ? "." : "") + parts[0].ToLowerInvariant())
        {
            case ".tables":
                return Run(argument.Length == 0 ? "SHOW TABLES" : $"SHOW TABLES LIKE '{argument.Replace("'", "''", StringComparison.Ordinal)}'", cancellation);
            case ".schema" when argument.Length > 0:
                return Run($"DESCRIBE {argument}", cancellation);
            case ".explain" when argument.Length > 0:
                return Run($"EXPLAIN EXTENDED {argument}", cancellation);
            case ".timing" when argument.ToLowerInvariant() is "on" or "off" or "":
                ShowsTime = argument.Length == 0 ? !ShowsTime : argument.Equals("on", StringComparison.OrdinalIgnoreCase);
                return true;
            case ".help":
                printer.Say(Help);
                return true;
            case ".quit" or ".exit":
                IsOver = true;
                return true;
            default:
                HasFailed = true;
                printer.PrintError(line, new ArgumentException($"'{line.Trim()}' is no command of the shell, or lacks something.\n{Help}"), default);
                return false;
        }
    }

    private bool Run(string statement, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            var frame = context.Sql(statement);
            // Commands have no columns, and need no job.
            var rows = frame.Schema.Count == 0 ? [] : frame.CollectAsync(cancellation).GetAwaiter().GetResult();
            var time = watch.Elapsed;
            printer.Print(statement, frame.Schema, rows, time);
            if (ShowsTime) printer.Say(string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:N1} ms"));
            return true;
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            // Whatever a statement meets is told, and the shell lives on.
            HasFailed = true;
            printer.PrintError(statement, error, watch.Elapsed);
            return false;
        }
    }
}
