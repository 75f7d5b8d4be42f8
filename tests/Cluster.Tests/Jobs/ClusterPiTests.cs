using System.Diagnostics;

namespace Dataflow.Cluster.Tests;

/// <summary>The example, as its user runs it: a program, the command that it prints, and a worker that is killed.</summary>
public sealed class ClusterPiTests
{
    [Fact]
    public async Task The_digits_stay_the_same_while_workers_come_and_go()
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [WorkerProcess.PathOf("ClusterPi.dll"), "--workers", "1", "--steps", "20000000", "--rounds", "4"])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment.Remove("DATAFLOW_TOKEN");
        using var program = Process.Start(start)!;
        var lines = new List<string>();
        WorkerProcess? one = null, two = null;
        try
        {
            while (await program.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)) is { } line)
            {
                lines.Add(line);
                if (line.StartsWith("Add a worker with:", StringComparison.Ordinal)) one = new WorkerProcess(line.Split(' ')[^1], name: "one");
                if (!line.StartsWith("pi", StringComparison.Ordinal)) continue;

                // After the first answer another worker comes, and the first is killed.
                if (two is null)
                {
                    two = new WorkerProcess(lines[0].Split(' ')[^1], name: "two");
                    one!.KillExecutors();
                }
            }
            await program.WaitForExitAsync();
            Assert.Equal(0, program.ExitCode);
            Assert.Equal(Enumerable.Repeat("pi = 3.1415926536", 4), lines.Where(line => line.StartsWith("pi", StringComparison.Ordinal)));
        }
        finally
        {
            if (!program.HasExited) program.Kill();
            one?.Dispose();
            two?.Dispose();
        }
    }
}
