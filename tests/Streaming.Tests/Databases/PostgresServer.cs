using System.Diagnostics;
using Dataflow.TestKit;
using Npgsql;

namespace Dataflow.Streaming.Tests.Databases;

/// <summary>A PostgreSQL server of its own, in a temporary folder, reached by a socket there: no port is taken. Ends with the test.</summary>
public sealed class PostgresServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly string _folder = Directory.CreateTempSubdirectory("dataflow-pg-").FullName;
    private readonly Process? _server;

    /// <summary>Makes an empty database and starts the server; nothing where there is none installed.</summary>
    public PostgresServer()
    {
        if (CommandLineTool.Find("initdb") is not { } initdb)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException("There is no initdb: apt-get install postgresql");
            return;
        }
        try
        {
            // The server does not run as root.
            if (Environment.IsPrivilegedProcess) Run("chown", "postgres", _folder);
            Run([.. AsPostgres(initdb, "-D", Data, "-A", "trust", "-U", "dataflow", "--no-sync", "-E", "UTF8", "--no-locale")]);
            var start = StartOf([.. AsPostgres(Path.Combine(Path.GetDirectoryName(initdb)!, "postgres"), "-D", Data, "-k", _folder, "-c", "listen_addresses=", "-c", "fsync=off")]);
            _server = Process.Start(start)!;
            _server.ErrorDataReceived += (_, _) => { };
            _server.OutputDataReceived += (_, _) => { };
            _server.BeginErrorReadLine();
            _server.BeginOutputReadLine();
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Dispose();
            var deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
            while (true)
            {
                try
                {
                    using var database = Open();
                    using var connection = database.OpenConnection();
                    return;
                }
                catch (NpgsqlException) when (Environment.TickCount64 < deadline && !_server.HasExited)
                {
                    Thread.Sleep(20);
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How to reach it.</summary>
    public string ConnectionString => $"Host={_folder};Username=dataflow;Database=postgres;Pooling=true;Maximum Pool Size=10";

    private string Data => Path.Combine(_folder, "data");

    /// <summary>A source of connections to it.</summary>
    public NpgsqlDataSource Open() => NpgsqlDataSource.Create(ConnectionString);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_server is { HasExited: false })
        {
            // Its children end with it, if not at once.
            Run("kill", "-QUIT", $"{_server.Id}");
            if (!_server.WaitForExit(Patience)) _server.Kill(entireProcessTree: true);
        }
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private static IEnumerable<string> AsPostgres(params string[] command) =>
        Environment.IsPrivilegedProcess ? [CommandLineTool.Find("setpriv")!, "--reuid=postgres", "--regid=postgres", "--init-groups", .. command] : command;

    private static ProcessStartInfo StartOf(params string[] command) => new(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" };

    private static void Run(params string[] command)
    {
        using var process = Process.Start(StartOf(command))!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(Patience) || process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)} failed: {output.Result}{error.Result}");
    }
}
