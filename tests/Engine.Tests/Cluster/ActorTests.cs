using Dataflow.Cluster;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Cluster;

public sealed class ActorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Messages_are_handled_in_order_when_the_dispatcher_says_so()
    {
        var dispatcher = new StepDispatcher();
        var actor = new Recorder(dispatcher);
        actor.Self.Tell(1);
        actor.Self.TellAndRun(2);
        Assert.Empty(actor.Seen);
        dispatcher.RunAll();
        Assert.Equal([1, 2, "flush"], actor.Seen);
    }

    [Fact]
    public void A_thread_that_may_run_the_mailbox_does()
    {
        var actor = new Recorder(new StepDispatcher { RunsInline = true });
        actor.Self.TellAndRun(1);
        Assert.Equal([1, "flush"], actor.Seen);
    }

    [Fact]
    public void A_message_told_from_within_waits_for_its_turn()
    {
        var actor = new Recorder(new StepDispatcher { RunsInline = true });
        actor.OnMessage = message =>
        {
            if (message is 1) actor.Self.TellAndRun(2);
        };
        actor.Self.TellAndRun(1);
        Assert.Equal([1, 2, "flush"], actor.Seen);
    }

    [Fact]
    public void A_thread_that_lends_itself_is_not_kept_for_long()
    {
        var dispatcher = new StepDispatcher { RunsInline = true };
        var actor = new Recorder(dispatcher);
        actor.OnMessage = message => actor.Self.Tell((int)message + 1);
        actor.Self.TellAndRun(0);
        Assert.InRange(actor.Seen.Count, 1, 1000);
        var before = actor.Seen.Count;
        dispatcher.RunOne();
        Assert.True(actor.Seen.Count > before);
    }

    [Fact]
    public async Task Many_threads_tell_and_nothing_is_lost_or_handled_at_the_same_time()
    {
        using var dispatcher = new ThreadDispatcher("test actor");
        var actor = new Counter(dispatcher);
        var tellers = Enumerable.Range(0, 4).Select(teller => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                if (teller % 2 == 0)
                    actor.Self.Tell(i);
                else
                    actor.Self.TellAndRun(i);
            }
        }));
        await Task.WhenAll(tellers);
        var sum = await actor.Self.Ask<long>(answer => answer, Patience, TimeProvider.System);
        Assert.Equal(4L * 20_000 * 19_999 / 2, sum);
        Assert.False(actor.Overlapped);
    }

    [Fact]
    public async Task A_question_that_is_not_answered_ends_after_its_timeout()
    {
        var time = new ManualTimeProvider();
        var actor = new Recorder(new StepDispatcher());
        var question = actor.Self.Ask<int>(answer => answer, TimeSpan.FromSeconds(5), time);
        time.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<TimeoutException>(() => question);
    }

    [Fact]
    public void Whoever_watches_an_actor_is_told_of_its_death_also_when_it_is_too_late()
    {
        var dispatcher = new StepDispatcher();
        var (watched, watcher) = (new Recorder(dispatcher), new Recorder(dispatcher));
        watched.Self.Watch(watcher.Self, "it died");
        watched.Self.Stop();
        dispatcher.RunAll();
        Assert.True(watched.Self.IsStopped);
        watched.Self.Watch(watcher.Self, "it is dead");
        dispatcher.RunAll();
        Assert.Equal(["it died", "it is dead"], watcher.Seen.Where(seen => seen is not "flush"));
    }

    [Fact]
    public void An_actor_that_throws_stops_unless_it_says_otherwise()
    {
        var dispatcher = new StepDispatcher();
        var (strict, lenient) = (new Recorder(dispatcher), new Recorder(dispatcher) { GoesOn = true });
        foreach (var actor in new[] { strict, lenient })
        {
            actor.OnMessage = message => throw new InvalidOperationException($"{message}");
            actor.Self.Tell(1);
            actor.Self.Tell(2);
        }
        dispatcher.RunAll();
        Assert.Equal([1, "dropped 2", "stopped"], strict.Seen.Where(seen => seen is not "flush").OrderBy(seen => $"{seen}"));
        Assert.Equal([1, 2], lenient.Seen.Where(seen => seen is not "flush"));
    }

    [Fact]
    public void What_is_told_to_a_stopped_actor_is_handed_to_it_as_dropped()
    {
        var dispatcher = new StepDispatcher();
        var actor = new Recorder(dispatcher);
        actor.Self.Stop();
        actor.Self.Tell("late");
        dispatcher.RunAll();
        actor.Self.Tell("later");
        Assert.Equal(["stopped", "dropped late", "dropped later"], actor.Seen);
    }

    private sealed class StepDispatcher : IDispatcher
    {
        private readonly Queue<IThreadPoolWorkItem> _work = new();

        public bool RunsInline { get; init; }

        public void Schedule(IThreadPoolWorkItem work) => _work.Enqueue(work);

        public void RunOne() => _work.Dequeue().Execute();

        public void RunAll()
        {
            while (_work.TryDequeue(out var work)) work.Execute();
        }
    }

    private sealed class Recorder(IDispatcher dispatcher) : Actor(dispatcher)
    {
        public List<object> Seen { get; } = [];

        public Action<object> OnMessage { get; set; } = _ => { };

        public bool GoesOn { get; init; }

        protected override void Receive(object message)
        {
            Seen.Add(message);
            OnMessage(message);
        }

        protected override void Flush() => Seen.Add("flush");

        protected override bool OnFailure(Exception error, object? message) => GoesOn;

        protected override void OnDropped(object message) => Seen.Add($"dropped {message}");

        protected override void OnStopped() => Seen.Add("stopped");
    }

    private sealed class Counter(IDispatcher dispatcher) : Actor(dispatcher)
    {
        private long _sum;
        private int _inside;

        public bool Overlapped { get; private set; }

        protected override void Receive(object message)
        {
            if (Interlocked.Increment(ref _inside) != 1) Overlapped = true;
            if (message is TaskCompletionSource<long> answer)
                answer.SetResult(_sum);
            else
                _sum += (int)message;
            Interlocked.Decrement(ref _inside);
        }
    }
}
