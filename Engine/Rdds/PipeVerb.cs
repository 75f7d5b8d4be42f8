using System.Diagnostics;
using System.Text;
using Dataflow.Closures;
using Dataflow.Errors;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>How <c>Pipe</c> talks to a command.</summary>
public sealed record PipeOptions
{
    /// <summary>The usual: UTF-8, no extra variables, the current folder.</summary>
    public static PipeOptions Default { get; } = new();

    /// <summary>Environment variables beside those of the executor; <c>DATAFLOW_PARTITION</c> is always set.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Text encoding of input and output. Default UTF-8 without a mark.</summary>
    public Encoding Encoding { get; init; } = new UTF8Encoding(false);

    /// <summary>Lines written before the elements. Default none.</summary>
    public IReadOnlyList<string> Header { get; init; } = [];

    /// <summary>Gives each task an empty working folder of its own, removed afterwards. Default false: the executor's folder.</summary>
    public bool SeparateFolder { get; init; }

    /// <summary>Characters buffered before they are written to the command. Default 8,192.</summary>
    public int BufferSize { get; init; } = 8192;
}

// Pipes: a command as a transformation.
public abstract partial class Rdd<T>
{
    /// <summary>Writes each element as a line to a command's standard input, one process per partition, and reads its output lines as elements.</summary>
    /// <remarks>Transformation, narrow. The command runs for empty partitions too. A non-zero exit code fails the task, with the end of what
    /// the command wrote to standard error. Leaving early ends the process.</remarks>
    /// <param name="command">Program and arguments; no shell is involved.</param>
    /// <param name="options">Encoding, environment and folder; null takes the usual.</param>
    /// <param name="toLines">The lines of an element; null writes its text.</param>
    public Rdd<string> Pipe(IReadOnlyList<string> command, PipeOptions? options = null, Func<T, IEnumerable<string>>? toLines = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (command.Count == 0) throw new ArgumentException("The command is empty: give the program and its arguments.", nameof(command));
        if (toLines is not null) ClosureGuard.Check(toLines, "Pipe");
        string[] copy = [.. command];
        return new MapPartitionsRdd<T, string>(
            this, "Pipe", (partition, reader, context) => new PipeReader<T>(copy, options ?? PipeOptions.Default, toLines, partition.Index, reader, context),
            keepsPartitioner: false, toLines, static _ => Determinacy.Indeterminate);
    }
}

/// <summary>Reads what a command makes of a partition.</summary>
internal sealed class PipeReader<T> : ChunkReader<string>
{
    private const int ErrorLines = 20;

    private readonly string[] _command;
    private readonly Process _process;
    private readonly string? _folder;
    private readonly TaskContext _context;
    private readonly Queue<string> _errors = new();
    private readonly Thread _writer;
    private readonly CancellationTokenRegistration _cancellation;
    private readonly string[] _output = new string[64];
    private Exception? _failure;
    private bool _ended;

    public PipeReader(
        string[] command, PipeOptions options, Func<T, IEnumerable<string>>? toLines, int partition, ChunkReader<T> input, TaskContext context)
    {
        _command = command;
        _context = context;
        _folder = options.SeparateFolder ? Directory.CreateTempSubdirectory("dataflow-pipe-").FullName : null;
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = options.Encoding,
            StandardOutputEncoding = options.Encoding,
            StandardErrorEncoding = options.Encoding,
            WorkingDirectory = _folder ?? "",
        };
        foreach (var (name, value) in options.Environment) start.Environment[name] = value;
        start.Environment["DATAFLOW_PARTITION"] = partition.ToString();
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            RemoveFolder();
            throw new VerbException($"Pipe can't start '{command[0]}': {e.Message} Install it on every worker, or give its full path.", e);
        }
        _process.ErrorDataReceived += (_, line) => Remember(line.Data);
        _process.BeginErrorReadLine();
        _cancellation = context.CancellationToken.Register(Kill);

        // Input and output flow at once, or both sides would wait for ever once the pipes are full.
        _writer = new Thread(() => Write(options, toLines, input)) { IsBackground = true, Name = $"pipe to {command[0]}" };
        _writer.Start();
    }

    public override bool TryRead(out ReadOnlySpan<string> chunk)
    {
        _context.ThrowIfCancelled();
        var count = 0;
        while (!_ended && count < _output.Length)
        {
            if (_process.StandardOutput.ReadLine() is { } line) _output[count++] = line;
            else End();
        }
        chunk = _output.AsSpan(0, count);
        return count > 0;
    }

    protected override void Dispose(bool disposing)
    {
        _cancellation.Dispose();
        if (!_ended) Kill();
        _ended = true;
        _process.WaitForExit();
        _writer.Join();
        _process.Dispose();
        RemoveFolder();
    }

    private void End()
    {
        _ended = true;
        _process.WaitForExit();
        _writer.Join();
        _context.ThrowIfCancelled();
        if (_failure is not null and not IOException) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
        if (_process.ExitCode == 0) return;
        string said;
        lock (_errors) said = _errors.Count == 0 ? " It wrote nothing to standard error." : $" It wrote to standard error:\n  {string.Join("\n  ", _errors)}";
        throw new VerbException($"'{string.Join(' ', _command)}' ended with exit code {_process.ExitCode}.{said}");
    }

    private void Write(PipeOptions options, Func<T, IEnumerable<string>>? toLines, ChunkReader<T> input)
    {
        try
        {
            using var writer = new StreamWriter(_process.StandardInput.BaseStream, options.Encoding, options.BufferSize);
            foreach (var line in options.Header) writer.WriteLine(line);
            using (input)
            using (_context.Enter())
            {
                while (input.TryRead(out var chunk))
                {
                    foreach (var item in chunk)
                    {
                        if (toLines is null) writer.WriteLine(item?.ToString());
                        else foreach (var line in toLines(item)) writer.WriteLine(line);
                    }
                }
            }
        }
        catch (Exception e)
        {
            // A command may end without reading all input (head does); its exit code decides then. Anything else is the task's failure.
            _failure = e;
            if (e is not IOException) Kill();
        }
    }

    private void Remember(string? line)
    {
        if (line is null) return;
        lock (_errors)
        {
            _errors.Enqueue(line);
            if (_errors.Count > ErrorLines) _errors.Dequeue();
        }
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended in the same moment.
        }
    }

    private void RemoveFolder()
    {
        if (_folder is not null) Directory.Delete(_folder, recursive: true);
    }
}
