using System.Diagnostics;

namespace Dataflow.Examples;

/// <summary>Worker processes of this machine, one core each, that come and go.</summary>
internal sealed class WorkerPool(Uri driver, Random random) : IDisposable
{
    private readonly string _program = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "worker.txt")).First(line => line.EndsWith("dataflow.dll", StringComparison.Ordinal));
    private readonly List<Process> _workers = [];

    /// <summary>How many were killed.</summary>
    public int Killed { get; private set; }

    /// <summary>Starts another one.</summary>
    public void Add()
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [_program, "worker", "--join", driver.ToString(), "--cores", "1", "--memory", "600m"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var worker = Process.Start(start)!;

        // Read and dropped: a full pipe would stop it.
        worker.BeginOutputReadLine();
        worker.BeginErrorReadLine();
        _workers.Add(worker);
    }

    /// <summary>Kills one without a word, as a power cut would; the executors that it started end with it.</summary>
    public void KillOne()
    {
        var at = random.Next(_workers.Count);
        _workers[at].Kill();
        _workers[at].Dispose();
        _workers.RemoveAt(at);
        Killed++;
    }

    public void Dispose()
    {
        foreach (var worker in _workers)
        {
            if (!worker.HasExited) worker.Kill(entireProcessTree: true);
            worker.Dispose();
        }
    }
}
