using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dataflow.Cluster;

namespace Dataflow.Worker.Commands;

/// <summary><c>dataflow status</c>: the workers and programs of a cluster.</summary>
internal static partial class StatusCommand
{
    public static Command Create()
    {
        var url = new Argument<string>("url") { Description = "The coordinator, such as dataflow://host:7077.", DefaultValueFactory = _ => Terminal.DefaultCluster };
        var json = new Option<bool>("--json") { Description = "As JSON, for programs." };
        var token = Terminal.TokenFile();
        var command = new Command("status", "Lists the workers and programs of a cluster.") { url, json, token };
        command.SetAction((parsed, cancellation) => Terminal.GuardAsync(async () =>
        {
            var status = await ClusterClient.StatusAsync(parsed.GetValue(url)!, Terminal.Read(parsed.GetValue(token)), cancellation);
            Console.Write(parsed.GetValue(json) ? JsonSerializer.Serialize(status, StatusJson.Default.ClusterStatus) + Environment.NewLine : Text(status));
            return 0;
        }));
        return command;
    }

    private static string Text(ClusterStatus status)
    {
        List<string[]> workers = [["WORKER", "HOST", "CORES", "FREE", "MEMORY", "FREE", "RESOURCES (FREE)", ""]];
        workers.AddRange(status.Workers.Select(worker => (string[])
            [worker.Name, worker.Host, $"{worker.Cores}", $"{worker.FreeCores}", Size(worker.MemoryBytes), Size(worker.FreeMemoryBytes), string.Join(", ", worker.Resources.Select(each => $"{each.Count} {each.Name} ({each.Free})")), worker.Draining ? "draining" : ""]));
        List<string[]> programs = [["APPLICATION", "TITLE", "EXECUTORS", "CORES", "TASKS", "MEMORY", "CACHED", "DRIVER"]];
        programs.AddRange(status.Applications.Select(each => (string[])[each.Name, each.Title, $"{each.Executors}", $"{each.Cores}", $"{each.RunningTasks}", $"{Size(each.MemoryBytes)} of {Size(each.MemoryLimitBytes)}", Size(each.CachedBytes), each.DriverUrl]));
        return $"Dataflow {status.Version}: {status.Workers.Count} workers, {status.Applications.Count} applications\n\n{Table(workers)}\n{Table(programs)}";
    }

    private static string Size(long bytes) => bytes >= 1L << 30 ? $"{bytes / (double)(1 << 30):0.#} GB" : $"{bytes / (double)(1 << 20):0.#} MB";

    private static string Table(List<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        return string.Concat(rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd() + "\n"));
    }

    [JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(ClusterStatus))]
    private sealed partial class StatusJson : JsonSerializerContext;
}
