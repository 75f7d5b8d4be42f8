using System.Diagnostics;
using System.Globalization;
using Dataflow.Benchmarks.Running;
using Dataflow.Cluster;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>A driver in this process, and workers of this machine that serve it.</summary>
internal sealed class LocalExecutors : IDisposable
{
    private readonly List<Process> _workers = [];
    private readonly bool _owns;

    /// <summary>A driver and its workers, ready.</summary>
    public LocalExecutors(int workers, int cores)
        : this(DataflowContext.ListenAsync("http://127.0.0.1:0", Options).GetAwaiter().GetResult(), workers, cores)
    {
        _owns = true;
        WaitForAll();
    }

    /// <summary>Workers of a driver, on their way.</summary>
    public LocalExecutors(DataflowContext context, int workers, int cores)
    {
        Context = context;
        var program = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "worker.txt")).First(line => line.EndsWith("dataflow.dll", StringComparison.Ordinal));
        for (var i = 0; i < workers; i++)
        {
            var worker = Process.Start(new ProcessStartInfo(
                Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
                [program, "worker", "--join", context.Cluster.Url.ToString(), "--cores", cores.ToString(CultureInfo.InvariantCulture), "--memory", "4g"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            worker.BeginOutputReadLine();
            worker.BeginErrorReadLine();
            _workers.Add(worker);
        }
    }

    public static ClusterOptions Options { get; } = new() { Application = DataflowOptions.Default with { Progress = false, DefaultParallelism = 4 } };

    public DataflowContext Context { get; }

    /// <summary>The process of an executor that takes tasks.</summary>
    public Process AnyExecutor() => Process.GetProcessById(Context.Range(0, 1, partitions: 1).Map(static _ => Environment.ProcessId).First());

    /// <summary>Waits until every worker has an executor.</summary>
    public void WaitForAll() => Context.Cluster.WaitForWorkersAsync(_workers.Count, TimeSpan.FromMinutes(1)).GetAwaiter().GetResult();

    /// <summary>Resident memory of a worker, without that of its executors.</summary>
    /// <exception cref="PeerMissingException">The system does not tell.</exception>
    public long ResidentBytes(int worker)
    {
        const string label = "VmRSS:";
        var status = $"/proc/{_workers[worker].Id}/status";
        if (!File.Exists(status)) throw new PeerMissingException($"there is no {status}.");
        var line = File.ReadLines(status).First(line => line.StartsWith(label, StringComparison.Ordinal));
        return long.Parse(line[label.Length..^" kB".Length], CultureInfo.InvariantCulture) << 10;
    }

    public void Dispose()
    {
        if (_owns) Context.Dispose();
        foreach (var worker in _workers)
        {
            if (!worker.WaitForExit(TimeSpan.FromSeconds(5))) worker.Kill(entireProcessTree: true);
            worker.Dispose();
        }
    }
}
