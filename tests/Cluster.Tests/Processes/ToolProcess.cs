using System.Diagnostics;
using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>A command of the dataflow tool, as a process.</summary>
internal sealed class ToolProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TempDirectory _folder = new();
    private readonly Process _process;
    private readonly List<string> _lines = [];

    public ToolProcess(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [WorkerProcess.PathOf("dataflow.dll"), .. arguments])
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("DATAFLOW_TOKEN");
        start.Environment.Remove("DATAFLOW_CLUSTER");
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it printed so far.</summary>
    public string Output
    {
        get
        {
            lock (_lines) return string.Join('\n', _lines);
        }
    }

    /// <summary>A coordinator that listens.</summary>
    /// <param name="port">0 takes a free one.</param>
    public static (ToolProcess Process, string Url) Coordinator(int port = 0)
    {
        const string says = "The coordinator listens at ";
        var coordinator = new ToolProcess("coordinator", "--listen", $"http://127.0.0.1:{port}");
        Assert.True(SpinWait.SpinUntil(() => coordinator.Output.Contains("Add a worker with:"), Patience), coordinator.Output);
        return (coordinator, coordinator.Output.Split('\n').First(line => line.StartsWith(says, StringComparison.Ordinal))[says.Length..]);
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>As <c>kill -9</c>.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null) return;
        lock (_lines) _lines.Add(line);
    }
}
