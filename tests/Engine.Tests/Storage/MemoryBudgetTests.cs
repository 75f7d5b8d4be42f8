using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Storage;

public sealed class MemoryBudgetTests : IDisposable
{
    private const long MB = 1 << 20;

    private readonly NativePool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Fact]
    public void Reservations_are_granted_up_to_the_bound_and_come_back_to_zero()
    {
        using var budget = Budget(10 * MB);
        using var consumer = new Held(budget, "a");
        Assert.True(budget.TryReserve(6 * MB, consumer));
        Assert.True(budget.TryReserve(4 * MB, consumer));
        Assert.False(budget.TryReserve(1, consumer));
        Assert.Equal(10 * MB, budget.ReservedBytes);
        Assert.Equal(10 * MB, consumer.UsedBytes);
        budget.Release(10 * MB, consumer);
        Assert.Equal(0, consumer.UsedBytes);
        Assert.Equal(0, budget.ReservedBytes);
    }

    [Fact]
    public void Memory_at_hand_of_one_consumer_is_taken_for_another()
    {
        using var budget = Budget(1024 * MB);
        using var first = new Held(budget, "first");
        using var second = new Held(budget, "second");
        Assert.True(budget.TryReserve(1, first));
        Assert.Equal(1 * MB, budget.ReservedBytes);
        Assert.True(budget.TryReserve(1024 * MB - 1, second));
        Assert.False(budget.TryReserve(1, first));
        Assert.Equal(1024 * MB, budget.ReservedBytes);
    }

    [Fact]
    public void Disposing_a_consumer_gives_back_what_it_holds()
    {
        using var budget = Budget(10 * MB);
        var consumer = new Held(budget, "a");
        Assert.True(budget.TryReserve(7 * MB, consumer));
        consumer.Dispose();
        consumer.Dispose();
        Assert.Equal(0, budget.ReservedBytes);
        budget.Release(7 * MB, consumer);
        Assert.Equal(0, budget.ReservedBytes);
    }

    [Fact]
    public void Releasing_more_than_was_reserved_is_an_error()
    {
        using var budget = Budget(10 * MB);
        using var consumer = new Held(budget, "the sort");
        budget.Reserve(100, consumer);
        budget.Release(100, consumer);
        var error = Assert.Throws<InvalidOperationException>(() => budget.Release(5 * MB, consumer));
        Assert.Contains("the sort released 5 MB and holds 0 bytes", error.Message);
    }

    [Fact]
    public void Caches_are_revoked_before_state_and_state_before_runs()
    {
        using var budget = Budget(100 * MB);
        var order = new List<string>();
        using var runs = new Held(budget, "runs", MemoryPriority.Runs, order);
        using var state = new Held(budget, "state", MemoryPriority.State, order);
        using var cache = new Held(budget, "cache", MemoryPriority.Cache, order);
        runs.Take(30 * MB);
        state.Take(20 * MB);
        cache.Take(50 * MB);
        using var work = new Held(budget, "work", MemoryPriority.Work);

        budget.Reserve(10 * MB, work);
        Assert.Equal(["cache"], order);
        budget.Reserve(40 * MB, work);
        Assert.Equal(["cache", "cache", "state", "runs"], order);
        Assert.Equal(20 * MB, runs.UsedBytes);
        budget.Reserve(30 * MB, work);
        Assert.Equal(["cache", "cache", "state", "runs", "runs", "cache"], order);
        Assert.Equal(80 * MB, work.UsedBytes);
    }

    [Fact]
    public void A_request_revokes_nothing_of_its_own_or_a_higher_priority()
    {
        using var budget = Budget(10 * MB);
        var order = new List<string>();
        using var runs = new Held(budget, "runs", MemoryPriority.Runs, order);
        using var other = new Held(budget, "other runs", MemoryPriority.Runs, order);
        using var cache = new Held(budget, "cache", MemoryPriority.Cache, order);
        runs.Take(9 * MB);
        Assert.False(budget.TryReserve(2 * MB, other));
        Assert.False(budget.TryReserve(2 * MB, cache));
        Assert.Empty(order);
    }

    [Fact]
    public void An_opportunity_leaves_the_cache_its_share_and_a_need_takes_all()
    {
        using var budget = Budget(100 * MB);
        using var cache = new Held(budget, "cache", MemoryPriority.Cache);
        using var work = new Held(budget, "work", MemoryPriority.Work);
        cache.Take(100 * MB);
        Assert.True(budget.TryReserve(70 * MB, work));
        Assert.False(budget.TryReserve(1 * MB, work));
        Assert.Equal(30 * MB, cache.UsedBytes);
        budget.Reserve(30 * MB, work);
        Assert.Equal(0, cache.UsedBytes);
    }

    [Fact]
    public void What_can_never_be_had_is_refused_at_once_with_its_size()
    {
        using var budget = Budget(10 * MB);
        using var consumer = new Held(budget, "the sort", MemoryPriority.Work);
        var error = Assert.Throws<MemoryExhaustedException>(() => budget.Reserve(11 * MB, consumer));
        Assert.Equal(11 * MB, error.RequestedBytes);
        Assert.Contains("the sort needs 11 MB more and holds 0 bytes", error.Message);
        Assert.Contains("budget: 10 MB", error.Message);
    }

    [Fact]
    public void A_wait_ends_in_an_error_that_names_who_holds_what()
    {
        var time = new ManualTime();
        using var budget = new MemoryBudget(10 * MB, _pool, TimeSpan.FromSeconds(30), time);
        using var holder = new Held(budget, "build of the join", MemoryPriority.Work);
        using var waiting = new Held(budget, "the sort", MemoryPriority.Work);
        budget.Reserve(8 * MB, holder);
        var wait = Task.Factory.StartNew(() => budget.Reserve(4 * MB, waiting), TaskCreationOptions.LongRunning);
        time.PassUntil(wait, TimeSpan.FromMilliseconds(100));
        var error = Assert.IsType<MemoryExhaustedException>(wait.Exception!.InnerException);
        Assert.Contains("it waited", error.Message);
        Assert.Contains("held: 8 MB by build of the join (work)", error.Message);
    }

    [Fact]
    public async Task A_waiting_request_goes_on_when_memory_is_released()
    {
        using var budget = Budget(10 * MB);
        using var holder = new Held(budget, "holder", MemoryPriority.Work);
        using var waiting = new Held(budget, "waiting", MemoryPriority.Work);
        budget.Reserve(8 * MB, holder);
        var wait = Task.Factory.StartNew(() => budget.Reserve(4 * MB, waiting), TaskCreationOptions.LongRunning);
        Assert.False(wait.IsCompleted);
        budget.Release(8 * MB, holder);
        await wait;
        Assert.Equal(4 * MB, waiting.UsedBytes);
    }

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        using var budget = Budget(10 * MB);
        using var holder = new Held(budget, "holder", MemoryPriority.Work);
        using var waiting = new Held(budget, "waiting", MemoryPriority.Work);
        budget.Reserve(8 * MB, holder);
        using var cancellation = new CancellationTokenSource();
        var wait = Task.Factory.StartNew(() => budget.Reserve(4 * MB, waiting, cancellation.Token), TaskCreationOptions.LongRunning);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }

    [Fact]
    public void A_task_takes_at_most_its_share_while_others_run()
    {
        using var budget = Budget(100 * MB);
        using var first = NewTask();
        using var second = NewTask();
        var a = budget.ForTask(first).Open("a");
        Assert.True(budget.TryReserve(60 * MB, a));
        var b = budget.ForTask(second).Open("b");
        Assert.False(budget.TryReserve(1 * MB, a));
        Assert.True(budget.TryReserve(40 * MB, b));
        Assert.False(budget.TryReserve(1 * MB, b));
    }

    [Fact]
    public void A_need_may_exceed_the_share_as_long_as_the_others_keep_half_of_theirs()
    {
        using var budget = Budget(100 * MB);
        using var first = NewTask();
        using var second = NewTask();
        var a = budget.ForTask(first).Open("a");
        var b = budget.ForTask(second).Open("b");
        Assert.False(budget.TryReserve(75 * MB, a));
        budget.Reserve(75 * MB, a);
        Assert.True(budget.TryReserve(25 * MB, b));
    }

    [Fact]
    public async Task A_need_beyond_the_share_waits_for_another_task_to_end()
    {
        using var budget = Budget(100 * MB);
        using var first = NewTask();
        using var second = NewTask();
        var a = budget.ForTask(first).Open("a");
        budget.ForTask(second);
        var wait = Task.Factory.StartNew(() => budget.Reserve(90 * MB, a), TaskCreationOptions.LongRunning);
        Assert.False(wait.IsCompleted);
        second.Complete();
        await wait;
        Assert.Equal(90 * MB, a.UsedBytes);
    }

    [Fact]
    public void What_a_task_holds_is_given_back_when_it_ends()
    {
        using var budget = Budget(100 * MB);
        using var context = NewTask();
        var memory = budget.ForTask(context);
        Assert.Same(memory, budget.ForTask(context));
        budget.Reserve(30 * MB, memory.Open("forgotten"));
        context.Complete();
        Assert.Equal(0, budget.ReservedBytes);
        Assert.InRange(context.Metrics.PeakMemoryBytes, 30 * MB, 31 * MB);
    }

    [Fact]
    public void Work_beyond_its_share_is_asked_to_spill_when_another_task_needs_memory()
    {
        using var budget = Budget(100 * MB);
        using var first = NewTask();
        using var second = NewTask();
        var asked = 0L;
        MemoryConsumer? a = null;
        a = budget.ForTask(first).Open("a", onRevoke: bytes =>
        {
            asked += bytes;
            budget.Release(bytes, a!);
            return bytes;
        });
        budget.Reserve(90 * MB, a);
        var b = budget.ForTask(second).Open("b");
        budget.Reserve(20 * MB, b);
        Assert.Equal(10 * MB, asked);
    }

    [Fact]
    public void Threads_that_reserve_and_release_leave_nothing_behind()
    {
        using var budget = Budget(64 * MB);
        using var cache = new Held(budget, "cache", MemoryPriority.Cache);
        var peak = 0L;
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            var random = new Random(worker);
            using var consumer = new Held(budget, $"worker {worker}", MemoryPriority.Work);
            for (var i = 0; i < 2000; i++)
            {
                var bytes = random.Next(1, 3 << 20);
                if (random.Next(4) == 0 && budget.TryReserve(bytes, cache)) continue;
                budget.Reserve(bytes, consumer);
                InterlockedMax(ref peak, budget.ReservedBytes);
                budget.Release(bytes, consumer);
            }
        });
        Assert.InRange(peak, 1, 64 * MB);
        cache.OnRevoke(long.MaxValue);
        Assert.Equal(0, budget.ReservedBytes);
    }

    [Fact]
    public void The_managed_heap_leaves_less_to_grant_but_what_is_reserved_of_it_counts_once()
    {
        var process = new FakeProcess { Committed = 100 * MB, Resident = 120 * MB };
        using var budget = new MemoryBudget(1024 * MB, _pool, TimeSpan.Zero, new ManualTime(), process);
        var margin = 32 * MB;
        Assert.Equal(1024 * MB - 120 * MB - margin, budget.LimitBytes);

        using var objects = new Held(budget, "objects", MemoryPriority.Cache, kind: MemoryKind.Managed);
        Assert.True(budget.TryReserve(300 * MB, objects));
        process.Committed = 400 * MB;
        process.Resident = 420 * MB;
        process.Count++;
        using var native = new Held(budget, "native", MemoryPriority.Runs);
        Assert.True(budget.TryReserve(1024 * MB - 420 * MB - margin, native));
        Assert.False(budget.TryReserve(2 * MB, native));
    }

    [Fact]
    public void Near_the_bound_free_buffers_go_first_then_garbage_then_blocks()
    {
        var time = new ManualTime();
        var process = new FakeProcess { Committed = 20 * MB, Resident = 40 * MB, Live = 20 * MB };
        using var budget = new MemoryBudget(256 * MB, _pool, TimeSpan.Zero, time, process);
        using var cache = new Held(budget, "cache", MemoryPriority.Cache);
        cache.Take(60 * MB);
        _pool.Rent(1 << 20).Dispose();

        process.Grow(260 * MB, garbage: 100 * MB);
        using var probe = new Held(budget, "probe", MemoryPriority.Work);
        budget.TryReserve(1, probe);
        Assert.Equal(0, _pool.IdleBytes);
        Assert.Equal(1, process.Collects);
        Assert.Equal(60 * MB, cache.UsedBytes);

        process.Grow(270 * MB, garbage: 100 * MB);
        budget.TryReserve(2 * MB, probe);
        Assert.Equal(1, process.Collects);
        Assert.True(cache.UsedBytes < 60 * MB);
    }

    [Fact]
    public void A_quarter_of_the_heap_is_never_reserved()
    {
        var process = new FakeProcess { Committed = 0, Resident = 16 * MB };
        using var budget = new MemoryBudget(272 * MB, _pool, TimeSpan.Zero, new ManualTime(), process);
        using var objects = new Held(budget, "objects", MemoryPriority.Runs, kind: MemoryKind.Managed);
        using var blocks = new Held(budget, "blocks", MemoryPriority.Cache);
        blocks.Take(20 * MB);
        Assert.True(budget.TryReserve(192 * MB, objects));

        // Giving up native memory would not help, so nobody who holds any is asked.
        Assert.False(budget.TryReserve(1 * MB, objects));
        Assert.Equal(20 * MB, blocks.UsedBytes);
        Assert.True(budget.TryReserve(20 * MB, blocks));
    }

    [Fact]
    public void Objects_are_revoked_before_a_heap_that_is_all_alive_meets_its_limit()
    {
        var process = new FakeProcess { Committed = 0, Resident = 16 * MB };
        using var budget = new MemoryBudget(272 * MB, _pool, TimeSpan.Zero, new ManualTime(), process);
        using var objects = new Held(budget, "objects", MemoryPriority.Runs, kind: MemoryKind.Managed);
        using var blocks = new Held(budget, "blocks", MemoryPriority.Cache);
        objects.Take(100 * MB);
        blocks.Take(10 * MB);

        // 224 MB are seven eighths of the heap: the process is within its bound still.
        process.Live = 240 * MB;
        process.Grow(257 * MB, garbage: 0);
        using var probe = new Held(budget, "probe", MemoryPriority.Work);
        budget.TryReserve(1, probe);
        Assert.InRange(objects.UsedBytes, 0, 84 * MB);
        Assert.Equal(10 * MB, blocks.UsedBytes);
    }

    [Fact]
    public void What_was_let_go_of_counts_as_garbage_until_the_whole_heap_is_collected()
    {
        var time = new ManualTime();
        var process = new FakeProcess { Committed = 20 * MB, Resident = 40 * MB, Live = 20 * MB };
        using var budget = new MemoryBudget(256 * MB, _pool, TimeSpan.Zero, time, process);
        using var objects = new Held(budget, "objects", MemoryPriority.Runs, kind: MemoryKind.Managed);
        objects.Take(150 * MB);
        process.Live = 210 * MB;
        process.Grow(240 * MB, garbage: 10 * MB);
        budget.Release(150 * MB, objects);

        // Nothing is reserved, and the last collection saw nearly all of the heap alive.
        process.LiveAfterCollecting = 50 * MB;
        using var probe = new Held(budget, "probe", MemoryPriority.Work);
        budget.Reserve(60 * MB, probe);
        Assert.Equal(1, process.Collects);
    }

    [Fact]
    public void A_task_that_met_the_end_of_the_heap_has_objects_asked_back()
    {
        var process = new FakeProcess { Committed = 0, Resident = 16 * MB };
        using var budget = new MemoryBudget(272 * MB, _pool, TimeSpan.Zero, new ManualTime(), process);
        using var objects = new Held(budget, "objects", MemoryPriority.Runs, kind: MemoryKind.Managed);
        objects.Take(100 * MB);
        budget.Relieve();
        Assert.Equal(32 * MB, objects.UsedBytes);
    }

    [Fact]
    public void A_bound_that_the_process_exceeds_already_is_refused()
    {
        var error = Assert.Throws<MemoryExhaustedException>(() => MemoryBudget.Create(new DataflowOptions { MemoryBytes = 1 * MB }, _pool));
        Assert.Contains("DataflowOptions.MemoryBytes is 1 MB, and this process takes", error.Message);
    }

    [Fact]
    public void An_explicit_bound_limits_the_heap_and_leaves_it_as_it_was()
    {
        var before = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var bound = before / 2;
        using (MemoryBudget.Create(new DataflowOptions { MemoryBytes = bound }, _pool))
        {
            GC.Collect();
            if (!System.Runtime.GCSettings.IsServerGC) Assert.InRange(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, bound / 2, bound);
        }
        GC.Collect();
        Assert.Equal(before, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    [Fact]
    public void The_process_s_own_memory_is_measured()
    {
        var process = new ProcessMemory();
        // Other tests of this process take and give back memory meanwhile: once it is measured undisturbed.
        var (grown, buffers) = (0L, new List<NativeBuffer>());
        while (buffers.Count < 20 && grown is < 32 * MB or > 512 * MB)
        {
            var before = process.PrivateResidentBytes(_pool.OutstandingBytes);
            buffers.Add(_pool.Rent(64 << 20));
            buffers[^1].Span.Fill(1);
            grown = process.PrivateResidentBytes(_pool.OutstandingBytes) - before;
        }
        buffers.ForEach(buffer => buffer.Dispose());
        Assert.InRange(grown, 32 * MB, 512 * MB);
        Assert.InRange(process.HeapCommittedBytes, 1, MachineMemory.Bytes);
    }

    [Fact]
    public void A_container_s_limit_counts_where_it_is_lower_than_the_machine_s_memory()
    {
        var root = Directory.CreateTempSubdirectory("dataflow-cgroup").FullName;
        try
        {
            File.WriteAllText(Path.Combine(root, "meminfo"), "MemTotal:       8388608 kB\nMemFree: 1 kB\n");
            File.WriteAllText(Path.Combine(root, "cgroup"), "0::/app/unit\n");
            Directory.CreateDirectory(Path.Combine(root, "fs", "app", "unit"));
            long Read() => MachineMemory.Read(Path.Combine(root, "meminfo"), Path.Combine(root, "cgroup"), Path.Combine(root, "fs"));
            Assert.Equal(8192 * MB, Read());
            File.WriteAllText(Path.Combine(root, "fs", "app", "unit", "memory.max"), "max\n");
            Assert.Equal(8192 * MB, Read());
            File.WriteAllText(Path.Combine(root, "fs", "app", "memory.max"), "1073741824\n");
            Assert.Equal(1024 * MB, Read());
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static TaskContext NewTask() => LoneTask.New();

    private static void InterlockedMax(ref long target, long value)
    {
        var seen = Volatile.Read(ref target);
        while (value > seen) seen = Interlocked.CompareExchange(ref target, value, seen) is var old && old == seen ? value : old;
    }

    private MemoryBudget Budget(long bytes) => new(bytes, _pool, TimeSpan.FromSeconds(30));

    private sealed class Held(
        MemoryBudget budget, string name, MemoryPriority priority = MemoryPriority.Cache, List<string>? order = null, MemoryKind kind = MemoryKind.Native)
        : MemoryConsumer(budget, name, priority, kind)
    {
        public void Take(long bytes) => Assert.True(Budget.TryReserve(bytes, this));

        protected internal override long OnRevoke(long bytes)
        {
            order?.Add(Name);
            var given = Math.Min(bytes, UsedBytes);
            Budget.Release(given, this);
            return given;
        }
    }

    private sealed class FakeProcess : ProcessMemory
    {
        public long Committed { get; set; }

        public long Resident { get; set; }

        public long Live { get; set; }

        public long? LiveAfterCollecting { get; set; }

        public int Count { get; set; }

        public int Collects { get; private set; }

        public void Grow(long resident, long garbage)
        {
            Resident = resident;
            Committed = Live + garbage;
            Count++;
        }

        public override long HeapCommittedBytes => Committed;
        public override long HeapLiveBytes => Live;
        public override int Collections => Count;

        public override int FullCollections => Collects;

        public override long PrivateResidentBytes(long nativeBytes) => Resident;

        public override void Collect()
        {
            Collects++;
            Live = LiveAfterCollecting ?? Live;
            Resident -= Committed - Live;
            Committed = Live;
        }
    }
}
