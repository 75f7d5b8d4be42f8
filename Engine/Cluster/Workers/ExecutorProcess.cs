using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace Dataflow.Cluster;

/// <summary>
/// An executor as a process of its worker: started from the application's own files, so that it runs the driver's build of everything. The
/// secret goes through its standard input, where no list of processes shows it; when that ends, the worker has, and so does the executor.
/// </summary>
internal sealed partial class ExecutorProcess : IStartedExecutor
{
    /// <summary>The program that staged folders get, unless the application brings it itself: it calls <see cref="RunAsync"/>.</summary>
    public const string Launcher = "dataflow.dll";

    private const int ReasonLines = 5;

    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Queue<string> _last = new();

    private ExecutorProcess(Process process, string folder, ILogger logger)
    {
        _process = process;
        Exited = WaitAsync(folder, logger);
    }

    /// <summary>Its number in the system.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Completes with the exit code and what it last wrote.</summary>
    public Task<(int Code, string Reason)> Exited { get; }

    /// <summary>Starts the process.</summary>
    /// <param name="launch">What the coordinator asked for.</param>
    /// <param name="secret">The application's secret.</param>
    /// <param name="shuffles">Who serves its map outputs.</param>
    /// <param name="folder">The staged files; the executor's temporary files go there too. Removed when the process has ended.</param>
    /// <param name="tls">TLS of the cluster.</param>
    /// <param name="logger">Takes what it writes.</param>
    public static ExecutorProcess Start(LaunchExecutor launch, ClusterToken secret, ShuffleServer shuffles, string folder, TlsFiles? tls, ILogger logger)
    {
        var launcher = Path.Combine(folder, Launcher);
        if (!File.Exists(launcher)) File.Copy(LauncherPath(), launcher);
        var runtime = Path.Combine(folder, "executor.runtimeconfig.json");
        File.WriteAllText(runtime, ExecutorRuntime.Config(launch.Cores, launch.MemoryBytes));
        var start = new ProcessStartInfo(Host(), ["exec", "--runtimeconfig", runtime, launcher, "executor"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (variable, value) in tls?.Variables ?? []) start.Environment[variable] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"'{start.FileName}' did not start.");
        var executor = new ExecutorProcess(process, folder, logger);
        var lines = new StringBuilder();
        foreach (var value in (string[])
        [
            launch.Application, launch.Executor.ToString(), launch.DriverUrl, Convert.ToBase64String(secret.Export()), Environment.MachineName,
            launch.Cores.ToString(CultureInfo.InvariantCulture), launch.MemoryBytes.ToString(CultureInfo.InvariantCulture), Path.Combine(folder, "temp"),
            shuffles.Worker.ToString(), shuffles.Url.ToString(), shuffles.Folder, JsonSerializer.Serialize(launch.Resources, ResourceJson.Default.Resources),
        ])
            lines.AppendLine(value);
        process.StandardInput.Write(lines);
        process.StandardInput.Flush();
        return executor;
    }

    /// <summary>What the started process does: reads who it is, serves its driver, and ends with the driver or the worker.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync()
    {
        var values = new string[12];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = await Console.In.ReadLineAsync().ConfigureAwait(false)
                ?? throw new ClusterException("An executor is started by its worker, which tells it who it is. To add this machine to a cluster:  dataflow worker --join URL");
        }
        var host = await ExecutorHost.StartAsync(new ExecutorStart(
            values[0],
            new Scheduling.ExecutorId(int.Parse(values[1], CultureInfo.InvariantCulture)),
            new Uri(values[2]),
            ClusterToken.Import(Convert.FromBase64String(values[3])),
            values[4],
            int.Parse(values[5], CultureInfo.InvariantCulture),
            long.Parse(values[6], CultureInfo.InvariantCulture),
            values[7])
        {
            Node = new NodeOptions { Tls = TlsFiles.FromEnvironment()?.Load() },
            Resources = JsonSerializer.Deserialize(values[11], ResourceJson.Default.Resources)!,
            Shuffles = new ShuffleServer(new Scheduling.WorkerId(int.Parse(values[8], CultureInfo.InvariantCulture)), new Uri(values[9]), values[10]),
        }).ConfigureAwait(false);

        // On a thread of its own: reading the console waits, whatever its method is called.
        var orphaned = Task.Run(Console.In.ReadLine);
        await Task.WhenAny(host.Ended, orphaned).ConfigureAwait(false);

        // Code of the user that does not end must not keep the process: what it holds goes with it.
        try
        {
            await Task.Run(() => host.DisposeAsync().AsTask()).WaitAsync(LongestGoodbye, LinkLimits.Default.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // At once and from outside: an orderly end would wait for the code that does not end. The worker removes the folder.
            using var self = Process.GetCurrentProcess();
            self.Kill();
        }
        return host.Ended.IsCompletedSuccessfully && host.Ended.Result.Kind is LinkEndKind.ClosedThere or LinkEndKind.ClosedHere ? 0 : 1;
    }

    /// <summary>Asks it to end: the end of its standard input is the end of its worker.</summary>
    public void End()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>Ends it at once.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    private static string Host() => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet"
        ? path
        : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    private static string LauncherPath()
    {
        var path = Path.Combine(AppContext.BaseDirectory, Launcher);
        return File.Exists(path)
            ? path
            : throw new ClusterException($"The worker's own folder {AppContext.BaseDirectory} has no {Launcher}, which executors are started from. Install the dataflow tool again.");
    }

    private async Task<(int Code, string Reason)> WaitAsync(string folder, ILogger logger)
    {
        await Task.WhenAll(ReadAsync(_process.StandardOutput, logger), ReadAsync(_process.StandardError, logger), _process.WaitForExitAsync()).ConfigureAwait(false);
        var code = _process.ExitCode;
        _process.Dispose();
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException error)
        {
            logger.LogWarning("{Folder} could not be removed: {Reason}", folder, error.Message);
        }
        string last;
        lock (_last) last = string.Join(Environment.NewLine, _last);
        return (code, code switch
        {
            0 => "it ended",
            > 128 => $"it was ended by signal {code - 128}. {last}",
            _ => $"it ended with exit code {code}. {last}",
        });
    }

    private async Task ReadAsync(StreamReader from, ILogger logger)
    {
        while (await from.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            logger.LogInformation("executor {Process}: {Line}", _process.Id, line);
            lock (_last)
            {
                _last.Enqueue(line);
                if (_last.Count > ReasonLines) _last.Dequeue();
            }
        }
    }

    // On one line: the executor reads line by line.
    [JsonSerializable(typeof(IReadOnlyDictionary<string, IReadOnlyList<string>>), TypeInfoPropertyName = "Resources")]
    private sealed partial class ResourceJson : JsonSerializerContext;
}
