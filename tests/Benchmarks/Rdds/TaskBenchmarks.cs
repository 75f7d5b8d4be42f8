using System.Diagnostics;
using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>What a task costs when it does nothing.</summary>
internal static class TaskBenchmarks
{
    private const int Tasks = 100_000;

    public static IEnumerable<Benchmark> All { get; } = [new("100,000 empty tasks", Measure)];

    /// <summary>The child's work: warm up, then time the stage and look at the largest private memory.</summary>
    public static int Child(string[] arguments)
    {
        using var context = Session.Context(Session.Cores);
        for (var i = 0; i < 3; i++) context.Range(0, Tasks / 10, partitions: Tasks / 10).ForEachPartition(static _ => { });
        var best = double.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var start = Stopwatch.GetTimestamp();
            context.Range(0, Tasks, partitions: Tasks).ForEachPartition(static _ => { });
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        Console.WriteLine(FormattableString.Invariant($"{Tasks / best}"));
        return 0;
    }

    private static IEnumerable<Measurement> Measure(Session session)
    {
        var run = Children.Start("empty-tasks");
        yield return new("100,000 empty tasks in one stage", "tasks/s", run.Figures[0], null, 100_000, 500_000, HigherIsBetter: true);
        yield return new("100,000 empty tasks in one stage, peak private memory", "MB", run.PeakBytes / 1e6, null, 300, 300);
    }
}
