using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

/// <summary>An MQTT broker for this program alone, if it is installed.</summary>
internal sealed class Mosquitto : IDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private Mosquitto(Process process, string folder, int port) => (_process, _folder, Url) = (process, folder, $"mqtt://127.0.0.1:{port}");

    /// <summary>Where it is.</summary>
    public string Url { get; }

    /// <summary>Starts it on a free port of this machine.</summary>
    /// <returns>Null if it is not installed.</returns>
    public static Mosquitto? TryStart()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin").Select(folder => Path.Combine(folder, "mosquitto")).FirstOrDefault(File.Exists);
        if (program is null) return null;
        var folder = Directory.CreateTempSubdirectory("sensor-alerts-").FullName;
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        var configuration = Path.Combine(folder, "mosquitto.conf");
        File.WriteAllText(configuration, $"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_type none\n");
        return new Mosquitto(Process.Start(program, ["-c", configuration]), folder, port);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
