using Dataflow.Diagnostics;
using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Jobs on real threads: the loop, the backend and the task runner together.</summary>
public sealed class LocalJobTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_job_gives_the_result_of_every_partition()
    {
        using var scheduler = new LocalScheduler(slots: 3);
        var results = await scheduler.Run(new TestRdd(100), (partition, _) => partition.Index * 2);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (object?)(i * 2)), results);
    }

    [Fact]
    public async Task A_job_runs_the_map_stage_it_reads_once()
    {
        using var scheduler = new LocalScheduler(slots: 2);
        var runs = 0;
        TestShuffle shuffle = null!;
        shuffle = new TestShuffle(new TestRdd(5), 4, (_, context) =>
        {
            Interlocked.Increment(ref runs);
            return shuffle.Status(context.Services.Worker);
        });
        var rdd = new TestRdd(4, shuffle);
        await scheduler.Run(rdd, (_, _) => null);
        await scheduler.Run(rdd, (_, _) => null);
        Assert.Equal(5, runs);
    }

    [Fact]
    public async Task A_map_stage_alone_gives_its_sizes()
    {
        using var scheduler = new LocalScheduler(slots: 2);
        var sizes = await scheduler.Loop.SubmitMapStage(new TestShuffle(new TestRdd(5), 4), JobProperties.None);
        Assert.Equal((50, 5), (sizes.BytesOf(3), sizes.RowsOf(3)));
    }

    [Fact]
    public async Task As_many_tasks_run_at_once_as_there_are_slots()
    {
        using var scheduler = new LocalScheduler(slots: 3);
        using var together = new Barrier(3);
        var results = await scheduler.Run(new TestRdd(6), (_, _) => together.SignalAndWait(Patience));
        Assert.All(results, met => Assert.Equal(true, met));
    }

    [Fact]
    public async Task A_task_runs_on_a_named_thread_with_room_for_deep_lineages()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        var results = await scheduler.Run(new TestRdd(1), (_, _) => (Thread.CurrentThread.Name, Thread.CurrentThread.IsBackground, Depth(200_000)));
        Assert.Equal(("dataflow slot 0", true, 200_000), results[0]);

        static int Depth(int n) => n == 0 ? 0 : Depth(n - 1) + 1;
    }

    [Fact]
    public async Task A_task_that_throws_is_tried_four_times_and_its_exception_comes_out()
    {
        using var scheduler = new LocalScheduler(slots: 2);
        var attempts = new List<int>();
        var error = await Assert.ThrowsAsync<JobFailedException>(() => scheduler.Run(new TestRdd(3), (partition, context) =>
        {
            if (partition.Index != 1) return null;
            lock (attempts) attempts.Add(context.Attempt);
            throw new FormatException("The input string 'n/a' was not in a correct format.");
        }));
        Assert.Equal([0, 1, 2, 3], attempts);
        Assert.IsType<FormatException>(error.InnerException);
        Assert.Equal((1, 4), (error.Partition, error.Attempts));
        Assert.StartsWith("Job 0 failed: task 1 of stage 0 threw FormatException on attempt 4 of 4.\n  where: Test at TestRdds.cs:", error.Message, StringComparison.Ordinal);
        Assert.Contains("\n  cause: FormatException: The input string 'n/a' was not in a correct format.\n", error.Message, StringComparison.Ordinal);
        Assert.Contains("\n  next:  ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_retry_of_a_task_runs_plain_operators()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        var plain = new List<bool>();
        await scheduler.Run(new TestRdd(1), (_, context) =>
        {
            plain.Add(context.PlainOperators);
            return plain.Count == 1 ? throw new FormatException() : null;
        });
        Assert.Equal([false, true], plain);
    }

    [Fact]
    public async Task A_map_output_that_cannot_be_read_is_written_again()
    {
        using var scheduler = new LocalScheduler(slots: 2);
        var written = new List<int>();
        TestShuffle shuffle = null!;
        shuffle = new TestShuffle(new TestRdd(3), 2, (partition, context) =>
        {
            lock (written) written.Add(partition.Index);
            return shuffle.Status(context.Services.Worker);
        });
        var reads = 0;
        await scheduler.Run(new TestRdd(2, shuffle), (partition, context) =>
        {
            // Wrapped, as user code likes to do.
            if (partition.Index == 1 && Interlocked.Increment(ref reads) == 1)
                throw new InvalidOperationException("mine", new FetchFailedException(shuffle.ShuffleId, 2, new(context.Services.Worker, default), FetchFailure.Corrupt, "a bit fell over"));
            return null;
        });
        Assert.Equal([0, 1, 2, 2], written.Order());
    }

    [Fact]
    public async Task A_cancelled_job_faults_after_its_tasks_have_ended()
    {
        using var scheduler = new LocalScheduler(slots: 2);
        using var cancellation = new CancellationTokenSource();
        using var bothRun = new CountdownEvent(2);
        var ended = 0;
        var job = scheduler.Run(
            new TestRdd(5),
            (_, context) =>
            {
                bothRun.Signal();
                context.CancellationToken.WaitHandle.WaitOne(Patience);
                Interlocked.Increment(ref ended);
                context.ThrowIfCancelled();
                return null;
            },
            cancellation.Token);
        Assert.True(bothRun.Wait(Patience));
        await cancellation.CancelAsync();
        var error = await Assert.ThrowsAsync<OperationCanceledException>(() => job.WaitAsync(Patience));
        Assert.Equal(2, ended);
        Assert.Equal("Job 0 was cancelled: its cancellation token was signalled.", error.Message);
        Assert.Equal(cancellation.Token, error.CancellationToken);
    }

    [Fact]
    public async Task A_job_with_a_token_that_is_signalled_already_does_not_begin()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scheduler.Run(new TestRdd(1), (_, _) => null, new CancellationToken(true)));
        var next = await scheduler.Run(new TestRdd(1), (_, context) => context.Description.Job.Value);
        Assert.Equal(1, next[0]);
    }

    [Fact]
    public async Task A_task_that_ignores_cancellation_is_given_up_and_its_slot_replaced()
    {
        var time = new ManualTimeProvider();
        var options = DataflowOptions.Default with { EngineMemoryBytes = 16 << 20, CancellationGrace = TimeSpan.FromSeconds(10) };
        using var scheduler = new LocalScheduler(slots: 1, options, time);
        using var cancellation = new CancellationTokenSource();
        using var runs = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        using var left = new ManualResetEventSlim();
        var hanging = scheduler.Run(
            new TestRdd(1),
            (_, _) =>
            {
                runs.Set();
                release.Wait(Patience);
                left.Set();
                return "too late";
            },
            cancellation.Token);
        Assert.True(runs.Wait(Patience));

        // The kill reaches the slot on another thread; its grace timer is what tells that it has.
        await cancellation.CancelAsync();
        Assert.True(SpinWait.SpinUntil(() => time.WaitingTimers > 0, Patience));
        time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(hanging.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        var error = await Assert.ThrowsAsync<OperationCanceledException>(() => hanging.WaitAsync(Patience));
        Assert.Matches(@"the code of Test at TestRdds\.cs:\d+ did not return within 10 s after cancellation", error.Message);
        Assert.IsType<TaskAbandonedException>(error.InnerException);

        // The thread is still in the old task, and yet the slot serves.
        var next = await scheduler.Run(new TestRdd(3), (partition, _) => partition.Index).WaitAsync(Patience);
        Assert.Equal([0, 1, 2], next);
        release.Set();
        Assert.True(left.Wait(Patience));
        next = await scheduler.Run(new TestRdd(3), (partition, _) => partition.Index).WaitAsync(Patience);
        Assert.Equal([0, 1, 2], next);
    }

    [Fact]
    public async Task A_partition_that_does_not_exist_is_refused_at_once()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        var rdd = new TestRdd(4);
        var error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => scheduler.Loop.SubmitJob(new JobRequest(rdd, [0, 4], (_, _) => null)));
        Assert.Contains("Partition 4 does not exist: Test at TestRdds.cs:", error.Message, StringComparison.Ordinal);
        Assert.Contains("has 4 partitions", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_action_inside_a_task_is_a_clear_error()
    {
        using var scheduler = new LocalScheduler(slots: 2);
        var inner = new TestRdd(1);
        var error = await Assert.ThrowsAsync<JobFailedException>(() => scheduler.Run(
            new TestRdd(1),
            (_, _) => scheduler.Run(inner, (_, _) => null, properties: new() { CallSite = new CallSite("Count", "Program.cs", 20) }).Result));
        Assert.Contains("Count at Program.cs:20 was called inside task 0 of stage 0", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_that_cannot_be_taken_fails_the_job_with_its_exception()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        var error = await Assert.ThrowsAsync<JobFailedException>(() => scheduler.Loop.SubmitJob(new JobRequest(new TestRdd(2), [0, 1], (_, _) => null)
        {
            OnResult = (_, _) => throw new InvalidOperationException("no room"),
        }));
        Assert.Equal("no room", error.InnerException!.Message);
    }

    [Fact]
    public async Task Completion_actions_run_however_the_task_ends_and_the_last_first()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        var order = new List<string>();
        await scheduler.Run(new TestRdd(1), (_, context) =>
        {
            context.OnCompletion(_ => order.Add($"first of {context.Attempt}"));
            context.OnCompletion(_ => order.Add($"last of {context.Attempt}"));
            return context.Attempt == 0 ? throw new FormatException() : null;
        });
        Assert.Equal(["last of 0", "first of 0", "last of 1", "first of 1"], order);
    }

    [Fact]
    public async Task A_task_whose_cleaning_up_fails_has_failed_and_the_other_actions_still_run()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        var cleaned = 0;
        var attempts = 0;
        await scheduler.Run(new TestRdd(1), (_, context) =>
        {
            attempts++;
            context.OnCompletion(_ => cleaned++);
            if (context.Attempt == 0) context.OnCompletion(_ => throw new IOException("disk full"));
            return null;
        });
        Assert.Equal((2, 2), (attempts, cleaned));
    }

    [Fact]
    public async Task The_current_task_is_known_on_its_thread_only()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        var results = await scheduler.Run(new TestRdd(2), (_, context) => ReferenceEquals(context, TaskContext.Current));
        Assert.All(results, same => Assert.Equal(true, same));
        Assert.Null(TaskContext.Current);
    }

    [Fact]
    public async Task Stopping_cancels_what_runs_and_refuses_what_comes()
    {
        var scheduler = new LocalScheduler(slots: 1);
        using var runs = new ManualResetEventSlim();
        var job = scheduler.Run(new TestRdd(1), (_, context) =>
        {
            runs.Set();
            context.CancellationToken.WaitHandle.WaitOne(Patience);
            return null;
        });
        Assert.True(runs.Wait(Patience));
        scheduler.Dispose();
        var cancelled = await Assert.ThrowsAsync<OperationCanceledException>(() => job);
        Assert.Contains("the test is over", cancelled.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => scheduler.Run(new TestRdd(1), (_, _) => null));
    }

    [Fact]
    public async Task Values_that_flow_with_the_callers_async_calls_do_not_reach_tasks()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        var flowing = new AsyncLocal<string?> { Value = "mine" };
        var results = await scheduler.Run(new TestRdd(1), (_, _) => flowing.Value);
        Assert.Null(results[0]);
    }

    [Fact]
    public async Task A_listener_sees_a_job_from_start_to_end_in_order()
    {
        using var scheduler = new LocalScheduler(slots: 2);
        var listener = new Recorder();
        scheduler.Listeners.Add(listener);
        await scheduler.Run(new TestRdd(2), (_, _) => null);
        await scheduler.Listeners.FlushAsync(Patience);
        var names = listener.Seen.Where(news => news is not ExecutorJoined).Select(news => news.GetType().Name).ToList();
        Assert.Equal(["JobStarted", "StageSubmitted"], names[..2]);
        Assert.Equal(["StageCompleted", "JobEnded"], names[^2..]);
        Assert.Equal(2, names.Count(name => name == "TaskStarted"));
        Assert.Equal(2, names.Count(name => name == "TaskFinished"));
    }

    [Fact]
    public async Task A_listener_that_throws_is_detached_and_the_others_are_told()
    {
        using var scheduler = new LocalScheduler(slots: 1);
        var listener = new Recorder();
        scheduler.Listeners.Add(new Thrower());
        scheduler.Listeners.Add(listener);
        var results = await scheduler.Run(new TestRdd(1), (_, _) => 5);
        Assert.Equal(5, results[0]);
        await scheduler.Listeners.FlushAsync(Patience);
        Assert.True(SpinWait.SpinUntil(() => listener.Has<ListenerDetached>(), Patience));
    }

    [Fact]
    public async Task A_listener_that_hangs_holds_up_no_job_and_what_it_misses_is_counted()
    {
        var options = DataflowOptions.Default with { EngineMemoryBytes = 16 << 20, ListenerQueueLength = 10 };
        using var scheduler = new LocalScheduler(slots: 1, options);
        using var release = new ManualResetEventSlim();
        var listener = new Recorder { Release = release };
        scheduler.Listeners.Add(listener);
        await scheduler.Run(new TestRdd(100), (_, _) => null).WaitAsync(Patience);
        Assert.InRange(scheduler.Listeners.DroppedCount, 150, 204);
        release.Set();
        await scheduler.Listeners.FlushAsync(Patience);
        Assert.Equal(scheduler.Listeners.DroppedCount, listener.Seen.OfType<EventsDropped>().Sum(news => news.Count));
    }

    [Fact]
    public async Task A_thousand_jobs_leave_nothing_behind()
    {
        using var scheduler = new LocalScheduler(slots: 2);
        for (var i = 0; i < 1000; i++) await scheduler.Run(new TestRdd(2), (_, _) => null);
        Assert.Equal((0, 0, 0), scheduler.Loop.Remembered);
    }

    private sealed class Recorder : JobListener
    {
        private readonly List<JobEvent> _seen = [];

        public ManualResetEventSlim? Release { get; init; }

        public List<JobEvent> Seen
        {
            get
            {
                lock (_seen) return [.. _seen];
            }
        }

        public bool Has<TEvent>() => Seen.OfType<TEvent>().Any();

        public override void OnEvent(JobEvent news)
        {
            Release?.Wait(Patience);
            lock (_seen) _seen.Add(news);
        }
    }

    private sealed class Thrower : JobListener
    {
        public override void OnJobStarted(JobStarted news) => throw new InvalidOperationException("a bad listener");
    }
}
