// A driver program that runs one small shuffle job after the other, checks each answer, and says with a time what it sees of its workers.
// Used by ../run.sh. Usage: Dataflow.NetworkProbe URL
using System.Diagnostics;
using Dataflow;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    stop.Cancel();
});

await using var context = await DataflowContext.ListenAsync(args[0]);
context.Cluster.Changed += change => Say($"{change.Kind} {change.Worker.Name} {change.Reason}");
Say($"Listening {context.Cluster.Url}");
var wrong = 0;
for (var job = 1; !stop.IsCancellationRequested; job++)
{
    var clock = Stopwatch.StartNew();
    try
    {
        var sum = await context.Range(0, 40_000, partitions: 8).Map(i => (i % 1000, i)).ReduceByKey((a, b) => a + b, partitions: 8).Values().SumAsync(stop.Token);
        var took = clock.ElapsedMilliseconds;
        if (sum != 40_000L * 39_999 / 2) wrong++;

        // A log that is read again and again should stay short.
        await Task.Delay(TimeSpan.FromMilliseconds(20), stop.Token);
        Say($"Job {job} {(sum == 40_000L * 39_999 / 2 ? "right" : "WRONG")} after {took} ms");
    }
    catch (OperationCanceledException) when (stop.IsCancellationRequested)
    {
        break;
    }
    catch (JobFailedException error)
    {
        wrong++;
        Say($"Job {job} FAILED after {clock.ElapsedMilliseconds} ms: {error.Message.ReplaceLineEndings(" ")}");
    }
}
Say($"End {wrong} wrong or failed");
return wrong == 0 ? 0 : 1;

static void Say(string what) => Console.WriteLine($"{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()} {what}");
