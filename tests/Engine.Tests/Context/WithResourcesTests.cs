using System.Collections.Concurrent;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Context;

/// <summary>Stages that ask for more than a slot a task, on threads of this process.</summary>
public sealed class WithResourcesTests
{
    private static readonly DataflowOptions FourSlotsTwoGpus = DataflowOptions.Default with
    {
        Threads = 4,
        Resources = new Dictionary<string, IReadOnlyList<string>> { ["gpu"] = ["0", "1"] },
    };

    [Fact]
    public void No_two_tasks_hold_an_address_at_once()
    {
        using var context = DataflowContext.Local(FourSlotsTwoGpus);
        var held = new ConcurrentDictionary<string, int>();
        var used = context.Parallelize(Enumerable.Range(0, 20), 20)
            .WithResources(new ResourceProfile().With("gpu", 1))
            .MapPartitions(items =>
            {
                var gpu = TaskContext.Current!.Resources["gpu"].Single();
                Assert.True(held.TryAdd(gpu, 0), $"gpu {gpu} is held twice");
                var results = items.Select(_ => gpu).ToArray();
                held.TryRemove(gpu, out _);
                return results;
            }).Collect();
        Assert.Equal(20, used.Length);
        Assert.Subset(new HashSet<string> { "0", "1" }, new HashSet<string>(used));
    }

    [Fact]
    public void Tasks_of_two_cpus_run_two_at_a_time_on_four_slots()
    {
        using var context = DataflowContext.Local(FourSlotsTwoGpus);
        using var pairs = new Barrier(2);
        var running = new StrongBox();
        var most = context.Parallelize(Enumerable.Range(0, 8), 8).WithResources(new ResourceProfile(cpus: 2)).Map(i =>
        {
            var now = Interlocked.Increment(ref running.Value);
            pairs.SignalAndWait(TimeSpan.FromSeconds(30));
            Interlocked.Decrement(ref running.Value);
            return now;
        }).Max();
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public void A_wish_counts_for_its_own_stage_only()
    {
        using var context = DataflowContext.Local(FourSlotsTwoGpus);
        var cpus = context.Parallelize(Enumerable.Range(0, 8), 4)
            .Map(static i => (Key: i % 2, Value: TaskContext.Current!.Description.Cpus)).WithResources(new ResourceProfile(cpus: 3))
            .ReduceByKey(static (a, b) => a + b, partitions: 2)
            .Map(static pair => (pair.Value, TaskContext.Current!.Description.Cpus))
            .Collect();
        Assert.Equal([(12, 1), (12, 1)], cpus);
    }

    [Fact]
    public void Asking_for_what_nobody_offers_fails_at_once_and_says_what_there_is()
    {
        using var context = DataflowContext.Local(FourSlotsTwoGpus);
        var rdd = context.Parallelize([1, 2, 3], 3).WithResources(new ResourceProfile(cpus: 2).With("fpga", 1));
        var error = Assert.Throws<JobFailedException>(() => rdd.Count());
        Assert.StartsWith(
            "Job 0 failed: each task of stage 0 needs 2 cpus and 1 fpga, which no executor has at all. Offered is: 4 slots and 2 gpu.\n  where: Parallelize at WithResourcesTests.cs:",
            error.Message,
            StringComparison.Ordinal);
        Assert.Contains("\n  next:  ask for less in WithResources, or offer more", error.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], context.Parallelize([1, 2, 3], 3).Collect());
    }

    [Fact]
    public void Two_wishes_in_one_stage_are_refused()
    {
        using var context = DataflowContext.Local(FourSlotsTwoGpus);
        var rdd = context.Parallelize([1, 2, 3], 3).WithResources(new ResourceProfile(cpus: 2)).Map(static i => i + 1);
        Assert.Equal([2, 3, 4], rdd.WithResources(new ResourceProfile(cpus: 2)).Collect());
        var error = Assert.Throws<JobFailedException>(() => rdd.WithResources(new ResourceProfile(cpus: 3)).Collect());
        Assert.StartsWith("Job 1 failed: stage 1 was asked for 3 cpus a task at Map at WithResourcesTests.cs:", error.Message, StringComparison.Ordinal);
        Assert.Contains("and for 2 cpus at Parallelize at WithResourcesTests.cs:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_that_fails_gives_back_what_it_held()
    {
        using var context = DataflowContext.Local(FourSlotsTwoGpus);
        var rdd = context.Parallelize(Enumerable.Range(0, 8), 8).WithResources(new ResourceProfile().With("gpu", 2))
            .Map(static i => TaskContext.Current!.Attempt == 0 && i % 2 == 0 ? throw new FormatException("n/a") : i);
        Assert.Equal(Enumerable.Range(0, 8), rdd.Collect());
    }

    private sealed class StrongBox
    {
        public int Value;
    }
}
