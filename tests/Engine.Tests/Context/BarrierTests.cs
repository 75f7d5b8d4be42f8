using System.Collections.Concurrent;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Context;

/// <summary>Barrier stages on threads of this process.</summary>
public sealed class BarrierTests : IDisposable
{
    private readonly DataflowContext _context = DataflowContext.Local(DataflowOptions.Default with { Threads = 4 });

    private Rdd<int> Four => _context.Parallelize(Enumerable.Range(0, 8), 4);

    public void Dispose() => _context.Dispose();

    [Fact]
    public void No_task_passes_the_barrier_before_all_have_come()
    {
        var come = new int[1];
        var seen = Four.Barrier().MapPartitions((barrier, items) =>
        {
            Interlocked.Increment(ref come[0]);
            barrier.Barrier();
            var first = Volatile.Read(ref come[0]);
            barrier.Barrier();
            Interlocked.Increment(ref come[0]);
            barrier.Barrier();
            return new[] { first, Volatile.Read(ref come[0]) };
        }).Collect();
        Assert.Equal([4, 8, 4, 8, 4, 8, 4, 8], seen);
    }

    [Fact]
    public void Messages_of_all_tasks_come_by_index()
    {
        var rows = Four.Barrier().MapPartitions(static items =>
        {
            var barrier = BarrierTaskContext.Current;
            var sums = barrier.AllGather($"{items.Sum()} ü");
            var bytes = barrier.AllGather([(byte)barrier.TaskIndex, 7]);
            return new[] { $"{barrier.TaskIndex}/{barrier.TaskCount} {barrier.StageAttempt} {string.Join(',', sums)} {string.Concat(bytes.Select(Convert.ToHexString))}" };
        }).Collect();
        Assert.Equal(Enumerable.Range(0, 4).Select(task => $"{task}/4 0 1 ü,5 ü,9 ü,13 ü 0007010702070307"), rows);
    }

    [Fact]
    public void Local_tasks_all_run_on_localhost()
    {
        var hosts = Four.Barrier().MapPartitions(static (barrier, _) => barrier.Hosts).Collect();
        Assert.Equal(Enumerable.Repeat("localhost", 16), hosts);
    }

    [Fact]
    public void A_task_that_throws_restarts_all_and_what_they_counted_counts_once()
    {
        var counter = _context.Counter("elements");
        var starts = new ConcurrentBag<(int Attempt, int Task)>();
        var result = Four.Barrier().MapPartitions((barrier, items) =>
        {
            starts.Add((barrier.StageAttempt, barrier.TaskIndex));
            var list = items.ToList();
            counter.Add(list.Count);
            if (barrier is { StageAttempt: 0, TaskIndex: 2 }) throw new FormatException("n/a");
            barrier.Barrier();
            return list;
        }).Map(static i => i * 10).Collect();
        Assert.Equal(Enumerable.Range(0, 8).Select(i => i * 10), result);
        Assert.Equal(8, counter.Value);
        Assert.Equal([(1, 0), (1, 1), (1, 2), (1, 3)], starts.Where(start => start.Attempt == 1).Order());
        Assert.All(starts, start => Assert.InRange(start.Attempt, 0, 1));
    }

    [Fact]
    public void A_task_that_always_throws_fails_the_job_after_four_attempts_at_the_stage()
    {
        var rdd = Four.Barrier().MapPartitions(static (barrier, items) =>
        {
            if (barrier.TaskIndex == 3) throw new FormatException("n/a");
            barrier.Barrier();
            return items;
        });
        var error = Assert.Throws<JobFailedException>(() => rdd.Count());
        Assert.StartsWith(
            "Job 0 failed: task 3 of barrier stage 0 threw FormatException on attempt 4 of 4 at the stage.\n  where: Parallelize at BarrierTests.cs:", error.Message,
            StringComparison.Ordinal);
        Assert.IsType<FormatException>(error.InnerException);
        Assert.Equal(8, Four.Count());
    }

    [Fact]
    public void A_task_that_ends_early_fails_those_that_wait_for_it()
    {
        var rdd = Four.Barrier().MapPartitions(static (barrier, items) =>
        {
            if (barrier.TaskIndex != 1) barrier.Barrier();
            return items;
        });
        var error = Assert.Throws<JobFailedException>(() => rdd.Count());
        Assert.IsType<BarrierException>(error.InnerException);
        Assert.Contains("task 1 of stage 0 ended without a first meeting, for which ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_that_hangs_fails_the_others_when_their_time_is_up()
    {
        using var context = DataflowContext.Local(DataflowOptions.Default with { Threads = 2, StageMaxAttempts = 1 });
        var rdd = context.Parallelize([0, 1], 2).Barrier().MapPartitions(static (barrier, items) =>
        {
            if (barrier.TaskIndex == 0)
                barrier.CancellationToken.WaitHandle.WaitOne(TimeSpan.FromSeconds(30));
            else
                barrier.Barrier(timeout: TimeSpan.FromMilliseconds(20));
            return items;
        });
        var error = Assert.Throws<JobFailedException>(() => rdd.Count());
        Assert.Contains(
            "Barrier() in task 1 of stage 0 did not come to an end: task 0 of stage 0 did not come to the first meeting, for which task 1 waited 0.02 s", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancellation_ends_a_wait()
    {
        using var waiting = new CountdownEvent(3);
        using var cancellation = new CancellationTokenSource();
        var job = Four.Barrier().MapPartitions((barrier, items) =>
        {
            if (barrier.TaskIndex == 3)
            {
                barrier.CancellationToken.WaitHandle.WaitOne(TimeSpan.FromSeconds(30));
                barrier.CancellationToken.ThrowIfCancellationRequested();
            }
            waiting.Signal();
            barrier.Barrier();
            return items;
        }).CountAsync(cancellation.Token);
        Assert.True(waiting.Wait(TimeSpan.FromSeconds(30)));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => job);
        Assert.Equal(8, Four.Count());
    }

    [Fact]
    public async Task The_end_of_the_context_ends_a_wait()
    {
        var context = DataflowContext.Local(threads: 2);
        using var waiting = new ManualResetEventSlim();
        var job = context.Parallelize([0, 1], 2).Barrier().MapPartitions((barrier, items) =>
        {
            if (barrier.TaskIndex == 1)
                barrier.CancellationToken.WaitHandle.WaitOne(TimeSpan.FromSeconds(30));
            waiting.Set();
            barrier.Barrier();
            return items;
        }).CountAsync();
        Assert.True(waiting.Wait(TimeSpan.FromSeconds(30)));
        await context.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => job);
    }

    [Fact]
    public void More_tasks_than_slots_fail_at_once_with_both_numbers()
    {
        var rdd = _context.Parallelize(Enumerable.Range(0, 8), 5).Barrier().MapPartitions(static items => items);
        var error = Assert.Throws<JobFailedException>(() => rdd.Count());
        Assert.StartsWith(
            "Job 0 failed: barrier stage 0 has 5 tasks, which start together, but there is room for 4 at once. Offered is: 4 slots.\n", error.Message, StringComparison.Ordinal);
        Assert.Contains("\n  next:  Repartition(4) before Barrier, or offer more", error.Message, StringComparison.Ordinal);
        Assert.Equal(8, rdd.Context.Parallelize(Enumerable.Range(0, 8), 5).Repartition(4).Barrier().MapPartitions(static items => items).Count());
    }

    [Fact]
    public void A_gang_may_ask_for_resources_too()
    {
        var wide = Four.Coalesce(2).WithResources(new ResourceProfile(cpus: 2));
        Assert.Equal([2, 2], wide.Barrier().MapPartitions(static (_, _) => new[] { TaskContext.Current!.Description.Cpus }).Repartition(1).Collect());
        var error = Assert.Throws<JobFailedException>(
            () => Four.WithResources(new ResourceProfile(cpus: 2)).Barrier().MapPartitions(static items => items).Count());
        Assert.Contains("has 4 tasks, which start together, each with 2 cpus, but there is room for 2 at once", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_waits_for_slots_that_other_jobs_hold()
    {
        using var go = new ManualResetEventSlim();
        using var running = new CountdownEvent(2);
        var other = _context.Parallelize([0, 1], 2).Map(i =>
        {
            running.Signal();
            return go.Wait(TimeSpan.FromSeconds(30)) ? i : throw new TimeoutException();
        }).CountAsync();
        Assert.True(running.Wait(TimeSpan.FromSeconds(30)));
        var begun = 0;
        var started = new StrongCount();
        var gang = Four.Barrier().MapPartitions((barrier, items) =>
        {
            started.Add();
            barrier.Barrier();
            return items;
        }).CountAsync();
        begun = started.Value;
        go.Set();
        Assert.Equal(2, await other);
        Assert.Equal(8, await gang);
        Assert.Equal((0, 4), (begun, started.Value));
    }

    [Fact]
    public void Shuffles_before_and_behind_work()
    {
        var sums = Four.Map(static i => (Key: i % 4, Value: i)).ReduceByKey(static (a, b) => a + b, partitions: 4)
            .Barrier().MapPartitions(static (barrier, pairs) =>
            {
                var list = pairs.ToList();
                var total = barrier.AllGather($"{list.Sum(pair => pair.Value)}").Sum(int.Parse);
                return list.Select(pair => (pair.Key % 2, Value: total));
            }).ReduceByKey(static (a, b) => a + b, partitions: 3).Collect();
        Assert.Equal([(0, 56), (1, 56)], sums.Order());
    }

    [Fact]
    public void What_is_saved_is_that_of_one_attempt()
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "out");
        Four.Barrier().MapPartitions(static (barrier, items) =>
        {
            // The first attempt breaks after other tasks have written all of theirs.
            if (barrier is { StageAttempt: 0, TaskIndex: 0 })
            {
                barrier.Barrier();
                throw new FormatException("n/a");
            }
            barrier.Barrier();
            return items.Select(i => $"{i} of attempt {barrier.StageAttempt}");
        }).SaveAsText(path);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"{i} of attempt 1"), _context.TextFile(path).Collect().Order());
    }

    [Fact]
    public void What_is_cached_is_read_without_meeting_again_and_a_lost_part_is_made_anew_by_all()
    {
        var runs = new StrongCount();
        var cached = Four.Barrier().MapPartitions((barrier, items) =>
        {
            runs.Add();
            barrier.Barrier();
            return items;
        }).Cache();
        Assert.Equal(8, cached.Count());
        Assert.Equal(Enumerable.Range(0, 8), cached.Collect());
        Assert.Equal(4, runs.Value);
        cached.Unpersist();
        cached.Cache();
        Assert.Equal(Enumerable.Range(0, 8), cached.Collect());
        Assert.Equal(8, runs.Value);
    }

    [Fact]
    public void What_some_tasks_of_a_broken_attempt_have_cached_is_dropped()
    {
        using var stored = new CountdownEvent(3);
        var result = Four.Barrier().MapPartitions((barrier, items) =>
        {
            barrier.Barrier();
            if (barrier is { StageAttempt: 0, TaskIndex: 3 })
            {
                stored.Wait(TimeSpan.FromSeconds(30));
                throw new FormatException("n/a");
            }
            return items.Select(i => (i, barrier.StageAttempt));
        }).Cache().MapPartitions(items =>
        {
            if (BarrierTaskContext.Current.StageAttempt == 0) stored.Signal();
            return items;
        }).Collect();
        Assert.Equal(Enumerable.Range(0, 8).Select(i => (i, 1)), result);
    }

    [Fact]
    public async Task Gangs_of_several_jobs_that_want_all_slots_run_one_after_the_other()
    {
        var jobs = Enumerable.Range(0, 6).Select(job => Four.Barrier().MapPartitions((barrier, items) =>
        {
            barrier.Barrier();
            return barrier.AllGather($"{job}");
        }).CollectAsync()).ToList();
        for (var job = 0; job < jobs.Count; job++) Assert.All(await jobs[job], text => Assert.Equal($"{job}", text));
    }

    [Theory]
    [InlineData("First")]
    [InlineData("Take")]
    [InlineData("ToEnumerable")]
    public void An_action_that_reads_a_part_is_refused(string action)
    {
        var rdd = Four.Barrier().MapPartitions(static items => items);
        var error = Assert.Throws<JobFailedException>(() =>
        {
            switch (action)
            {
                case "First": rdd.First(); break;
                case "Take": rdd.Take(3); break;
                case "ToEnumerable": _ = rdd.ToEnumerable().Count(); break;
            }
        });
        Assert.Contains("runs a task for each of its 4 partitions or none at all, but ", error.Message, StringComparison.Ordinal);
        Assert.Contains("\n  next:  use an action that reads every partition, such as Collect.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Coalesce")]
    [InlineData("Union")]
    [InlineData("Cartesian")]
    [InlineData("Zip")]
    public void A_chain_that_can_not_start_together_is_refused(string verb)
    {
        var rdd = Four.Barrier().MapPartitions(static items => items);
        Rdd chained = verb switch
        {
            "Coalesce" => rdd.Coalesce(2),
            "Union" => rdd.Union(Four),
            "Cartesian" => rdd.Cartesian(Four),
            _ => rdd.Zip(rdd.Map(static i => i)),
        };
        var error = Assert.Throws<JobFailedException>(() => chained switch
        {
            Rdd<int> numbers => numbers.Count(),
            _ => ((Rdd<(int, int)>)chained).Count(),
        });
        Assert.Contains($"{verb} at BarrierTests.cs:", error.Message, StringComparison.Ordinal);
        Assert.StartsWith("Job 0 failed: barrier stage 0 can't run: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_down_is_read_like_any_other_Rdd()
    {
        using var folder = new TempDirectory();
        _context.CheckpointFolder = folder.Path;
        var rdd = Four.Barrier().MapPartitions(static (barrier, items) =>
        {
            barrier.Barrier();
            return items;
        });
        rdd.Checkpoint();
        Assert.Equal(8, rdd.Count());
        Assert.Equal([0, 1, 2], rdd.Take(3));
        Assert.Equal(8, rdd.Coalesce(1).Count());
    }

    [Fact]
    public void There_is_a_barrier_only_in_tasks_that_have_one()
    {
        Assert.Contains("inside the lambda of rdd.Barrier().MapPartitions", Assert.Throws<InvalidOperationException>(() => BarrierTaskContext.Current).Message, StringComparison.Ordinal);
        var error = Assert.Throws<JobFailedException>(() => Four.Map(static _ => BarrierTaskContext.Current.TaskIndex).Collect());
        Assert.Contains("of stage 0 has no barrier: its stage is an ordinary one. Call Barrier() on the Rdd first", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_has_a_limit_and_a_wait_an_end()
    {
        var refused = Four.Barrier().MapPartitions(static (barrier, _) =>
        {
            var large = Assert.Throws<ArgumentException>(() => barrier.AllGather(new byte[BarrierTaskContext.MaxMessageBytes + 1]));
            Assert.Throws<ArgumentOutOfRangeException>(() => barrier.Barrier(Timeout.InfiniteTimeSpan));
            return new[] { large.Message };
        }).Collect();
        Assert.All(refused, text => Assert.StartsWith("The message has 1,048,577 bytes, and 1,048,576 is the most", text, StringComparison.Ordinal));
        Assert.Throws<ArgumentOutOfRangeException>(() => DataflowOptions.Default with { BarrierTimeout = TimeSpan.Zero });
    }

    [Fact]
    public void Evaluators_and_indices_work_behind_a_barrier()
    {
        Assert.Equal([0, 5, 18, 39], Four.Barrier().MapPartitionsWithIndex(static (index, items) => new[] { items.Sum() * index }).Collect());
        Assert.Equal([(0, 2), (1, 2), (2, 2), (3, 2)], Four.Barrier().MapPartitionsWithEvaluator(static () => new Counting()).Collect());
    }

    private sealed class Counting : IPartitionEvaluator<int, (int, int)>
    {
        public IEnumerable<(int, int)> Evaluate(int partition, IEnumerable<int> items)
        {
            BarrierTaskContext.Current.Barrier();
            yield return (partition, items.Count());
        }
    }

    private sealed class StrongCount
    {
        private int _value;

        public int Value => Volatile.Read(ref _value);

        public void Add() => Interlocked.Increment(ref _value);
    }
}
