// Jobs, one after the other, while the workers that run them are killed and replaced every few seconds. Every answer is compared with
// that of this process alone.
using System.Diagnostics;
using Dataflow;
using Dataflow.Examples;

var arguments = new Arguments(args, """
    Usage: Churn [--seconds N] [--workers N] [--every N] [--seed N]

      --seconds   how long (600)
      --workers   how many workers there are (3)
      --every     seconds between two kills, on average (3)
      --seed      where random choices start (1)
    """);
var length = TimeSpan.FromSeconds(arguments.Number("--seconds", 600));
var patience = TimeSpan.FromSeconds(90);
var random = new Random(arguments.Number("--seed", 1));
var pause = TimeSpan.FromSeconds(arguments.Number("--every", 3));

await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
using var local = DataflowContext.Local(threads: 1);
using var workers = new WorkerPool(context.Cluster.Url, random);
var count = arguments.Number("--workers", 3);
for (var i = 0; i < count; i++) workers.Add();
await context.Cluster.WaitForWorkersAsync(count, patience);

var (jobs, wrong, failed, hangs) = (0, 0, 0, 0);
var longest = TimeSpan.Zero;
var clock = Stopwatch.StartNew();
var nextKill = NextKill();
while (clock.Elapsed < length && hangs == 0)
{
    var began = clock.Elapsed;
    var job = AnswerAsync(context, jobs);
    try
    {
        while (await Task.WhenAny(job, Task.Delay(TimeSpan.FromMilliseconds(20))) != job)
        {
            if (clock.Elapsed - began > patience) throw new TimeoutException();
            if (clock.Elapsed < nextKill) continue;
            workers.KillOne();
            workers.Add();
            nextKill = NextKill();
        }
        if (await job != await AnswerAsync(local, jobs)) wrong++;
    }
    catch (TimeoutException)
    {
        hangs++;
    }
    catch (JobFailedException error)
    {
        failed++;
        Console.WriteLine(error.Message);
    }
    jobs++;
    if (clock.Elapsed - began > longest) longest = clock.Elapsed - began;
    if (jobs % 100 == 0) Console.WriteLine($"{jobs,6:N0} jobs, {workers.Killed,4:N0} workers killed");
}
Console.WriteLine($"{jobs:N0} jobs, {workers.Killed:N0} workers killed, the longest job took {longest.TotalSeconds:F1} s");
Console.WriteLine($"wrong answers: {wrong}, failed jobs: {failed}, hangs: {hangs}");
return wrong + failed + hangs == 0 ? 0 : 1;

TimeSpan NextKill() => clock.Elapsed + pause * (0.5 + random.NextDouble());

// A cached aggregation, and a join of it with itself: two shuffles, and blocks that are lost with their executor.
static async Task<(long Keys, long Sum)> AnswerAsync(DataflowContext context, int seed)
{
    var sums = context.Range(0, 100_000, partitions: 6)
        .Map(i => (Key: (i * 7919 + seed) % 5000, Value: i))
        .ReduceByKey((a, b) => a + b, partitions: 5)
        .Cache();
    var mixed = sums.Join(sums.MapValues(value => value * 2), partitions: 4)
        .Map(pair => (pair.Key * 31 + pair.Value.Left + pair.Value.Right) % 1_000_003);
    var answer = (await sums.CountAsync(), await mixed.SumAsync());
    sums.Unpersist();
    return answer;
}
