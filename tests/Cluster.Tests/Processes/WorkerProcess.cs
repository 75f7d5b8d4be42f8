using System.Diagnostics;
using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>A worker as a process of its own, in a folder that holds nothing of the program.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly string _temp;
    private readonly Process _process;
    private readonly List<string> _lines = [];

    public WorkerProcess(string url, int cores = 1, string? token = null, string? name = null, string? program = null, IEnumerable<string>? more = null, string? temp = null)
    {
        _temp = temp ?? _folder.Path;
        List<string> arguments = [program ?? PathOf("dataflow.dll"), "worker", "--join", url, "--cores", $"{cores}", "--memory", "600m", "--temp", _temp];
        if (name is not null) arguments.AddRange(["--name", name]);
        arguments.AddRange(more ?? []);
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments)
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("DATAFLOW_TOKEN");
        if (token is not null) start.Environment["DATAFLOW_TOKEN"] = token;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Where a program was built to with the tests.</summary>
    public static string PathOf(string file) =>
        File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "programs.txt")).Single(line => Path.GetFileName(line) == file);

    /// <summary>What it printed so far.</summary>
    public string Output
    {
        get
        {
            lock (_lines) return string.Join('\n', _lines);
        }
    }

    /// <summary>The map outputs that it serves.</summary>
    public IReadOnlyList<string> MapFiles()
    {
        var root = Directory.EnumerateDirectories(_temp, "shuffles", SearchOption.AllDirectories).ToArray();
        return [.. root.SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal)];
    }

    /// <summary>Whether neither it nor an executor that it started runs, whoever its parent is now.</summary>
    public bool IsGone => _process.HasExited && !HasExecutors;

    /// <summary>Whether executors that it started run, whoever their parent is now.</summary>
    public bool HasExecutors => Executors().Any();

    public Task<int> ExitAsync() => _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1)).ContinueWith(
        ended => ended.IsCompletedSuccessfully ? _process.ExitCode : throw new TimeoutException(Output), TaskScheduler.Default);

    /// <summary>As <c>kill -9</c>: the worker only, or its executors only.</summary>
    public void Kill() => _process.Kill();

    /// <summary>As <c>kill -STOP</c>: it stands still, and its links stay.</summary>
    public void Stop() => Signal("STOP");

    public void Continue() => Signal("CONT");

    /// <summary>As <c>kill</c>: asks it to leave.</summary>
    public void Terminate() => Signal("TERM");

    /// <summary>Has its executors stand still.</summary>
    public void StopExecutors()
    {
        foreach (var executor in Executors()) Signal("STOP", executor.Id);
    }

    public void KillExecutors()
    {
        foreach (var executor in Executors()) executor.Kill();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();

        // Executors whose worker was killed end by themselves, and might not have yet.
        foreach (var process in Own()) process.Kill();
        SpinWait.SpinUntil(() => IsGone, TimeSpan.FromMinutes(1));
        _process.Dispose();
        _folder.Dispose();
    }

    private void Signal(string name) => Signal(name, _process.Id);

    private static void Signal(string name, int process)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{process}"]);
        kill.WaitForExit();
    }

    // By the files of its folder on their command lines, which stay there when the worker is gone; a parent does not.
    private IEnumerable<Process> Executors() => Own().Where(process => process.Id != _process.Id);

    private IEnumerable<Process> Own()
    {
        foreach (var process in Process.GetProcesses())
        {
            string line;
            try
            {
                line = File.ReadAllText($"/proc/{process.Id}/cmdline");
            }
            catch (IOException)
            {
                // It has ended meanwhile.
                continue;
            }
            if (line.Contains(_temp, StringComparison.Ordinal)) yield return process;
        }
    }

    private void Add(string? line)
    {
        if (line is null) return;
        lock (_lines) _lines.Add(line);
    }
}
