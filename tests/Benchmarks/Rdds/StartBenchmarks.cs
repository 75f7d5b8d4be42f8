using System.Diagnostics;
using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>From the start of a process to the result of its first small job, and the time of its second.</summary>
internal static class StartBenchmarks
{
    public static IEnumerable<Benchmark> All { get; } = [new("process start", Measure)];

    public static int Hello(string[] arguments)
    {
        Console.WriteLine("0");
        return 0;
    }

    public static int SmallJob(string[] arguments)
    {
        var process = Process.GetCurrentProcess();
        using var context = DataflowContext.Local(new DataflowOptions { Threads = Session.Cores, Progress = false });
        Job(context);
        var first = (DateTime.Now - process.StartTime).TotalMilliseconds;
        var start = Stopwatch.GetTimestamp();
        Job(context);
        var second = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Console.WriteLine(FormattableString.Invariant($"{first} {second}"));
        return 0;
    }

    private static void Job(DataflowContext context)
    {
        string[] lines = ["to be or not to be", "that is the question"];
        var words = context.Parallelize(lines, 2)
            .FlatMap(static line => line.Split(' ')).Map(static word => (word, 1)).ReduceByKey(static (a, b) => a + b).Count();
        if (words != 8) throw new InvalidOperationException($"{words} words instead of 8.");
    }

    private static IEnumerable<Measurement> Measure(Session session)
    {
        List<double> hello = [], whole = [], first = [], second = [];
        for (var i = 0; i < (session.Quick ? 3 : 11); i++)
        {
            hello.Add(Children.Start("hello").Milliseconds);
            var run = Children.Start("small-job");
            whole.Add(run.Milliseconds);
            first.Add(run.Figures[0]);
            second.Add(run.Figures[1]);
        }
        yield return new($"process start to first result ({Session.Median(whole):0} ms to its exit; hello world {Session.Median(hello):0} ms)",
            "ms", Session.Median(first), null, 500, 250);
        yield return new("second small job in the same process", "ms", Session.Median(second), null, 20, 2);
    }
}
