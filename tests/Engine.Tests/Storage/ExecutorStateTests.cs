using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Storage;

public sealed class ExecutorStateTests : IDisposable
{
    private const long MB = 1 << 20;

    private readonly NativePool _pool = new();
    private readonly MemoryBudget _budget;
    private readonly ExecutorState _state;
    private readonly List<StateUpdate> _updates = [];

    public ExecutorStateTests()
    {
        _budget = new MemoryBudget(100 * MB, _pool, TimeSpan.FromSeconds(30));
        _state = new ExecutorState(_budget);
        _state.Updated += update =>
        {
            lock (_updates) _updates.Add(update);
        };
    }

    public void Dispose()
    {
        _state.Dispose();
        Assert.Equal(0, _budget.ReservedBytes);
        _pool.Dispose();
    }

    [Fact]
    public void An_object_is_built_once_and_shared()
    {
        var built = 0;
        Table Make()
        {
            built++;
            return new Table();
        }
        using var first = _state.GetOrCreate("broadcast/1", 0, Make, LossRule.Rebuild, _ => 10 * MB);
        using var second = _state.GetOrCreate("broadcast/1", 0, Make, LossRule.Rebuild, _ => 10 * MB);
        Assert.Equal(1, built);
        Assert.Same(first.Value, second.Value);
        Assert.InRange(_budget.ReservedBytes, 10 * MB, 11 * MB);
        Assert.Equal([("broadcast/1", 0L, 10 * MB)], _state.Objects);
        Assert.Equal([new StateUpdate("broadcast/1", 0, LossRule.Rebuild, true, 10 * MB)], _updates);
    }

    [Fact]
    public void A_newer_version_replaces_the_older_once_its_leases_end()
    {
        var old = _state.GetOrCreate("table", 1, () => new Table(), LossRule.Rebuild, _ => 1 * MB);
        var table = old.Value;
        using var young = _state.GetOrCreate("table", 2, () => new Table(), LossRule.Rebuild, _ => 1 * MB);
        Assert.NotSame(table, young.Value);
        Assert.False(table.IsDisposed);
        Assert.Same(table, old.Value);
        old.Dispose();
        old.Dispose();
        Assert.True(table.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => old.Value);
        Assert.Equal([("table", 2L, 1 * MB)], _state.Objects);
        var error = Assert.Throws<InvalidOperationException>(() => _state.GetOrCreate("table", 1, () => new Table(), LossRule.Rebuild));
        Assert.Contains("Version 1 of state 'table' was replaced by version 2", error.Message);
    }

    [Fact]
    public void A_newer_version_whose_factory_fails_leaves_the_older()
    {
        using (var old = _state.GetOrCreate("table", 1, () => new Table(), LossRule.Rebuild))
        {
            Assert.Throws<FormatException>(() => _state.GetOrCreate<Table>("table", 2, () => throw new FormatException(), LossRule.Rebuild));
        }
        using var again = _state.GetOrCreate<Table>("table", 1, () => throw new FormatException(), LossRule.Rebuild);
        Assert.False(again.Value.IsDisposed);
    }

    [Fact]
    public void Removed_objects_are_freed_when_their_leases_end()
    {
        var used = _state.GetOrCreate("job1/a", 0, () => new Table(), LossRule.Fail, _ => 1 * MB);
        var table = used.Value;
        var idle = _state.GetOrCreate("job1/b", 0, () => new Table(), LossRule.Fail, _ => 1 * MB);
        var idleTable = idle.Value;
        idle.Dispose();
        using var other = _state.GetOrCreate("job2/a", 0, () => new Table(), LossRule.Fail);
        _state.Remove("job1/");
        Assert.True(idleTable.IsDisposed);
        Assert.False(table.IsDisposed);
        used.Dispose();
        Assert.True(table.IsDisposed);
        Assert.Equal(["job2/a"], _state.Objects.Select(each => each.Key));
        Assert.Equal(0, _budget.ReservedBytes);
        Assert.Equal(["job1/a", "job1/b"], _updates.Where(update => !update.IsHere).Select(update => update.Key));
    }

    [Theory]
    [InlineData(LossRule.Rebuild, true)]
    [InlineData(LossRule.Reload, true)]
    [InlineData(LossRule.Fail, false)]
    public void Idle_objects_are_dropped_for_memory_if_their_rule_allows(LossRule rule, bool dropped)
    {
        var used = _state.GetOrCreate("used", 0, () => new Table(), rule, _ => 40 * MB);
        var idle = _state.GetOrCreate("idle", 0, () => new Table(), rule, _ => 40 * MB);
        var idleTable = idle.Value;
        idle.Dispose();
        using var work = new Work(_budget);
        Assert.Equal(dropped, _budget.TryReserve(60 * MB, work));
        Assert.Equal(dropped, idleTable.IsDisposed);
        Assert.False(used.Value.IsDisposed);
        used.Dispose();
    }

    [Fact]
    public async Task A_failed_factory_is_thrown_to_all_who_wait_and_is_not_kept()
    {
        using var started = new ManualResetEventSlim();
        using var fail = new ManualResetEventSlim();
        var builds = 0;
        Table Make()
        {
            if (Interlocked.Increment(ref builds) > 1) return new Table();
            started.Set();
            fail.Wait();
            throw new FormatException("no such file");
        }
        var first = Start(() => _state.GetOrCreate("x", 0, Make, LossRule.Rebuild));
        started.Wait();
        var second = Start(() => _state.GetOrCreate("x", 0, () => new Table(), LossRule.Rebuild));
        // The second is counted as a waiter before the factory may fail.
        SpinWait.SpinUntil(() => _state.Waiters == 1, TimeSpan.FromSeconds(30));
        fail.Set();
        Assert.Equal("no such file", (await Assert.ThrowsAsync<FormatException>(() => first)).Message);
        Assert.Equal("no such file", (await Assert.ThrowsAsync<FormatException>(() => second)).Message);
        using var third = _state.GetOrCreate("x", 0, Make, LossRule.Rebuild);
        Assert.Equal(2, builds);
    }

    [Fact]
    public async Task A_wait_for_another_s_factory_can_be_cancelled()
    {
        using var started = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        var first = Start(() => _state.GetOrCreate("x", 0, () =>
        {
            started.Set();
            go.Wait();
            return new Table();
        }, LossRule.Rebuild, _ => 1 * MB));
        started.Wait();
        using var context = LoneTask.New();
        var second = Start(() => _state.GetOrCreate("x", 0, () => new Table(), LossRule.Rebuild, context: context));
        context.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        go.Set();
        (await first).Dispose();
    }

    [Fact]
    public void A_handle_that_a_task_forgets_ends_with_the_task()
    {
        using var context = LoneTask.New();
        var table = _state.GetOrCreate("x", 0, () => new Table(), LossRule.Rebuild, context: context).Value;
        _state.Remove("x");
        Assert.False(table.IsDisposed);
        context.Complete();
        Assert.True(table.IsDisposed);
    }

    [Fact]
    public async Task Factories_that_wait_for_each_other_are_refused()
    {
        var own = Assert.Throws<InvalidOperationException>(() => _state.GetOrCreate("a", 0, () => _state.GetOrCreate("a", 0, () => 1, LossRule.Rebuild).Value, LossRule.Rebuild));
        Assert.Contains("The factory of state 'a' asks", own.Message);

        using var both = new Barrier(2);
        Task<StateHandle<int>> Build(string key, string other) => Start(() => _state.GetOrCreate(key, 0, () =>
        {
            both.SignalAndWait();
            return _state.GetOrCreate(other, 0, () => 1, LossRule.Rebuild).Value;
        }, LossRule.Rebuild));
        var tasks = new[] { Build("x", "y"), Build("y", "x") };
        foreach (var task in tasks) await Assert.ThrowsAsync<InvalidOperationException>(() => task);
    }

    [Fact]
    public void A_key_that_holds_another_type_is_refused()
    {
        using var table = _state.GetOrCreate("x", 0, () => new Table(), LossRule.Rebuild);
        var error = Assert.Throws<InvalidOperationException>(() => _state.GetOrCreate("x", 0, () => 1, LossRule.Rebuild));
        Assert.Contains("is asked for as a System.Int32", error.Message);
    }

    [Fact]
    public void What_the_budget_has_no_room_for_is_freed_and_not_kept()
    {
        Table? table = null;
        Assert.Throws<MemoryExhaustedException>(() => _state.GetOrCreate("x", 0, () => table = new Table(), LossRule.Rebuild, _ => 101 * MB));
        Assert.True(table!.IsDisposed);
        Assert.Empty(_state.Objects);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Tasks_that_race_for_versions_never_see_a_freed_object(int seed)
    {
        using var work = new Work(_budget);
        var version = 0L;
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            var random = new Random(seed * 100 + worker);
            for (var i = 0; i < 1500; i++)
            {
                var key = $"k{random.Next(3)}";
                switch (random.Next(20))
                {
                    case 0:
                        _state.Remove(key);
                        break;
                    case 1:
                        Interlocked.Increment(ref version);
                        break;
                    case 2:
                        if (_budget.TryReserve(60 * MB, work)) _budget.Release(60 * MB, work);
                        break;
                    default:
                        try
                        {
                            using var handle = _state.GetOrCreate(key, Interlocked.Read(ref version), () => new Table(), LossRule.Rebuild, _ => 8 * MB);
                            Assert.False(handle.Value.IsDisposed, $"seed {seed}, worker {worker}, step {i}");
                        }
                        catch (InvalidOperationException e) when (e.Message.Contains("was replaced by version"))
                        {
                            // Another worker was faster.
                        }
                        break;
                }
            }
        });
    }

    private static Task<T> Start<T>(Func<T> work) => Task.Factory.StartNew(work, TaskCreationOptions.LongRunning);

    private sealed class Table : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose()
        {
            Assert.False(IsDisposed);
            IsDisposed = true;
        }
    }

    private sealed class Work(MemoryBudget budget) : MemoryConsumer(budget, "work", MemoryPriority.Work)
    {
        protected internal override long OnRevoke(long bytes) => 0;
    }
}
