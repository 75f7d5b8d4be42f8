using System.Diagnostics;
using Dataflow.Cluster.Tests;
using Dataflow.Streaming.Tests;
using Dataflow.Streaming.Tests.Databases;
using Dataflow.TestKit;

namespace Dataflow.CrashHarness;

/// <summary>Feeds the query, kills it and starts it anew, and counts in the end.</summary>
internal sealed class Harness(string sink, string state, int kills, int executors, int seed)
{
    private static readonly string[] Steps = ["found", "planned", "computed", "written", "logged", "committed", "", ""];

    // Not a step of every sink.
    private string StepOf(int kill) => Steps[kill % Steps.Length] is var step && sink == "file" && step == "computed" ? "" : step;

    private readonly Random _random = new(seed);

    public async Task<int> RunAsync()
    {
        using var folder = new TempDirectory();
        var inputs = new Inputs(folder.Path, seed, state == "join");
        using var database = sink == "postgres" ? new PostgresServer() : null;
        if (database is not null) await File.WriteAllTextAsync(folder.Combine(Sinks.DatabaseFile), database.ConnectionString).ConfigureAwait(false);
        var (coordinator, url) = executors > 0 ? ToolProcess.Coordinator() : (null, "");
        var workers = Enumerable.Range(0, executors).Select(_ => new WorkerProcess(url)).ToList();
        try
        {
            var (executorsKilled, lastKilled, notJoined) = (0, 0L, 0);
            for (var kill = 0; kill < kills; kill++)
            {
                var step = StepOf(kill);
                using var query = Start(folder.Path, url, step);
                var until = step.Length == 0 ? Stopwatch.GetTimestamp() + (long)((0.6 + _random.NextDouble() + (executors > 0 ? 1.5 : 0)) * Stopwatch.Frequency) : long.MaxValue;
                while (!query.HasExited)
                {
                    inputs.Feed();
                    // One for each end of the query: they take longer to start than it does. A job gives up a task that loses its executor four times in a row.
                    if (executors > 0 && executorsKilled <= kill && _random.Next(40) == 0 && Stopwatch.GetElapsedTime(lastKilled) > TimeSpan.FromSeconds(3))
                    {
                        lastKilled = Stopwatch.GetTimestamp();
                        workers[_random.Next(workers.Count)].KillExecutors();
                        executorsKilled++;
                    }
                    if (Stopwatch.GetTimestamp() > until) query.Kill();
                    await Task.Delay(25).ConfigureAwait(false);
                }
                if (query.ExitCode == Query.NotJoined && ++notJoined <= kills)
                {
                    kill--;
                    continue;
                }
                if (query.ExitCode is 0 or Query.NotJoined || query.ExitCode == 1 || query.ExitCode == 134)
                {
                    Console.Error.WriteLine($"The query ended by itself ({query.ExitCode}):\n{await query.StandardError.ReadToEndAsync().ConfigureAwait(false)}");
                    return 1;
                }
                if ((kill + 1) % 20 == 0) Console.WriteLine($"{kill + 1} kills{(executors > 0 ? $", executors {executorsKilled} times, {notJoined} starts without a cluster" : "")}; {inputs.Rows:N0} rows so far");
            }

            // All windows become final.
            inputs.End();
            using (var last = Start(folder.Path, url, "end"))
            {
                var error = last.StandardError.ReadToEndAsync();
                await last.WaitForExitAsync().ConfigureAwait(false);
                if (last.ExitCode != 0)
                {
                    Console.Error.WriteLine(await error.ConfigureAwait(false));
                    return 1;
                }
            }
            return Compare(folder.Path, inputs, executorsKilled);
        }
        finally
        {
            foreach (var worker in workers) worker.Dispose();
            coordinator?.Dispose();
        }
    }

    private Process Start(string folder, string url, string step) => Process.Start(new ProcessStartInfo(
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", typeof(Harness).Assembly.Location, "query", folder, url, sink, state, step]) { RedirectStandardError = true })!;

    // By the program itself, not by the engine that is tested.
    private int Compare(string folder, Inputs inputs, int executorsKilled)
    {
        var (rows, batches) = Sinks.Read(sink, folder);
        var expected = inputs.Expected();
        var found = rows.GroupBy(row => (row.Window, row.Page)).ToDictionary(group => group.Key, group => group.ToArray());
        var lost = expected.Count(row => !found.ContainsKey((row.Window, row.Page)));
        var doubled = found.Values.Sum(same => same.Length - 1);
        var wrong = expected.Count(row => found.TryGetValue((row.Window, row.Page), out var same) && same[0] != row) + found.Keys.Except(expected.Select(row => (row.Window, row.Page))).Count();
        Console.WriteLine(
            $"{sink}: {kills} kills{(executors > 0 ? $", executors {executorsKilled} times" : "")}: {inputs.Rows:N0} rows in {inputs.Files:N0} files, {expected.Length:N0} groups in {batches:N0} batches; "
            + $"lost {lost}, doubled {doubled}, wrong {wrong}");
        return lost + doubled + wrong == 0 ? 0 : 1;
    }
}
