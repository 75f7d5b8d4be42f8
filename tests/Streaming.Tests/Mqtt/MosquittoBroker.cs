using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>Debian's MQTT broker in a process of its own, on a free port of this machine, with other people's clients for it.</summary>
internal sealed partial class MosquittoBroker : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TempDirectory _folder = new();
    private readonly string _more;
    private Process? _process;
    private Channel _log = new();

    /// <summary>Starts it.</summary>
    /// <param name="more">More lines of its configuration; <c>FOLDER</c> stands for its folder.</param>
    /// <param name="files">Files of its folder, by name.</param>
    public MosquittoBroker(string more = "allow_anonymous true", params (string Name, string Text)[] files)
    {
        _more = more.Replace("FOLDER", _folder.Path, StringComparison.Ordinal);
        foreach (var (name, text) in files) File.WriteAllText(Path.Combine(_folder.Path, name), text);
        try
        {
            // Somebody else may take the port between the look and the start.
            for (var attempt = 0; ; attempt++)
            {
                Port = FreePort();
                if (TryStart()) return;
                if (attempt == 5) throw new InvalidOperationException($"mosquitto does not start: {_log}");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Port { get; private set; }

    public string Folder => _folder.Path;

    public MqttOptions Options => new($"mqtt://127.0.0.1:{Port}") { ReconnectDelay = TimeSpan.FromMilliseconds(5), LongestReconnectDelay = TimeSpan.FromMilliseconds(50) };

    /// <summary>Has it write its sessions to the disk, and ends it as kill -9 does.</summary>
    public void SaveAndKill()
    {
        var database = Path.Combine(Folder, "mosquitto.db");
        File.Delete(database);
        Assert.Equal(0, SendSignal(_process!.Id, 10));

        // It appears whole.
        Assert.True(SpinWait.SpinUntil(() => File.Exists(database), Patience), $"It was not saved: {_log}");
        Kill();
    }

    /// <summary>Ends it as kill -9 does.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    /// <summary>Starts it again, on the same port.</summary>
    public void Restart() => Assert.True(TryStart(), _log.ToString());

    /// <summary>Waits until it has written such a line since the last start, or since the last such wait.</summary>
    public void WaitFor(string text) => _log.WaitFor(text);

    /// <summary>Sends lines as messages, with mosquitto_pub.</summary>
    public void Publish(string topic, IEnumerable<string> lines, string more = "-q 1") =>
        CommandLineTool.Run("mosquitto_pub", $"-h 127.0.0.1 -p {Port} -t {topic} {more} -l", Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));

    /// <summary>Has mosquitto_sub subscribe, and leave.</summary>
    public void Subscribe(string client, string topic) => CommandLineTool.Run("mosquitto_sub", $"-h 127.0.0.1 -p {Port} -i {client} -c -q 1 -t {topic} -E", []);

    /// <summary>Has mosquitto_sub come back and read so many messages: topic, quality, retained flag, payload.</summary>
    public string[] Receive(string client, string topic, int count) => Encoding.UTF8.GetString(
        CommandLineTool.Run("mosquitto_sub", $"-h 127.0.0.1 -p {Port} -i {client} -c -q 1 -t {topic} -C {count} -F \"%t %q %r %p\"", [])).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public void Dispose()
    {
        if (_process is { HasExited: false }) Kill();
        _process?.Dispose();
        _folder.Dispose();
    }

    private bool TryStart()
    {
        var configuration = Path.Combine(Folder, "mosquitto.conf");
        File.WriteAllText(configuration, $"listener {Port} 127.0.0.1\nuser root\nmax_queued_messages 0\nsys_interval 0\nqueue_qos0_messages true\nset_tcp_nodelay true\nlog_dest stderr\nlog_type all\nautosave_interval 0\n{_more}\n");
        _process?.Dispose();
        var log = _log = new Channel();
        _process = Process.Start(new ProcessStartInfo(CommandLineTool.Find("mosquitto") ?? CommandLineTool.Find("/usr/sbin/mosquitto") ?? "/usr/sbin/mosquitto", ["-c", configuration]) { RedirectStandardError = true })!;
        _process.ErrorDataReceived += (_, line) => log.Add(line.Data);
        _process.BeginErrorReadLine();
        return log.WaitFor("running");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    // What it says, line by line; null at its end.
    private sealed class Channel
    {
        private readonly List<string> _lines = [];
        private int _seen;
        private bool _isDone;

        public void Add(string? line)
        {
            lock (_lines)
            {
                if (line is null) _isDone = true;
                else _lines.Add(line);
                Monitor.PulseAll(_lines);
            }
        }

        public bool WaitFor(string text)
        {
            var end = DateTime.UtcNow + Patience;
            lock (_lines)
            {
                while (true)
                {
                    while (_seen < _lines.Count)
                    {
                        if (_lines[_seen++].Contains(text, StringComparison.Ordinal)) return true;
                    }
                    if (_isDone) return false;
                    var left = end - DateTime.UtcNow;
                    if (left <= TimeSpan.Zero || !Monitor.Wait(_lines, left)) throw new TimeoutException($"mosquitto did not say '{text}' within {Patience.TotalSeconds} s, but:\n{this}");
                }
            }
        }

        public override string ToString()
        {
            lock (_lines) return string.Join('\n', _lines.TakeLast(40));
        }
    }
}
