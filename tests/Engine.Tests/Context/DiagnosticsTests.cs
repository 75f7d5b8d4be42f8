using System.Diagnostics.Metrics;
using System.Text.Json;
using Dataflow.Diagnostics;
using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Context;

/// <summary>What a program can see of its jobs.</summary>
public sealed class DiagnosticsTests
{
    [Fact]
    public void The_event_log_has_a_line_of_JSON_for_each_event()
    {
        using var folder = new TempDirectory();
        using (var context = DataflowContext.Local(new DataflowOptions { Threads = 2, EventLogFolder = folder.Path, Name = "a/b" }))
            context.Range(0, 100, 1, 3).Map(x => (x % 5, x)).ReduceByKey((a, b) => a + b, 2).Collect();

        var lines = File.ReadAllLines(Directory.GetFiles(folder.Path, "*.jsonl").Single()).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var names = lines.Select(line => line.GetProperty("event").GetString()).ToList();
        Assert.Equal(1, names.Count(name => name == "JobStarted"));
        Assert.Equal(5, names.Count(name => name == "TaskFinished"));
        Assert.Equal("JobEnded", names[^1]);
        var written = lines.Where(line => line.GetProperty("event").GetString() == "TaskFinished")
            .Sum(line => line.GetProperty("metrics").GetProperty("shuffleWriteRecords").GetInt64());
        Assert.Equal(15, written);
    }

    [Fact]
    public void Tasks_and_jobs_are_counted_for_whoever_listens_to_the_meter()
    {
        var counted = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Dataflow") self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            lock (counted) counted[instrument.Name] = counted.GetValueOrDefault(instrument.Name) + value;
        });
        listener.Start();
        using (var context = DataflowContext.Local(2)) context.Range(0, 10, 1, 7).Count();

        // Other contexts of this process may count too, so at least.
        lock (counted)
        {
            Assert.True(counted["dataflow.tasks"] >= 7);
            Assert.True(counted["dataflow.jobs"] >= 1);
        }
    }

    [Fact]
    public void Nothing_is_told_to_who_does_not_listen_now()
    {
        var queue = new Waiting();
        var bus = new ListenerBus(8, queue, TimeProvider.System);
        var listener = new Hearing();
        Assert.False(bus.HasAny);
        bus.Add(listener);
        Assert.True(bus.HasAny);
        bus.Tell(new EventsDropped(1) { Time = default });
        listener.Hears = false;
        Assert.False(bus.HasAny);
        bus.Tell(new EventsDropped(2) { Time = default });
        listener.Hears = true;
        bus.Tell(new EventsDropped(3) { Time = default });
        queue.Run();
        Assert.Equal([1, 3], listener.Heard);
    }

    private sealed class Hearing : JobListener
    {
        public bool Hears { get; set; } = true;

        public List<long> Heard { get; } = [];

        internal override bool Listens => Hears;

        public override void OnEventsDropped(EventsDropped news) => Heard.Add(news.Count);
    }

    private sealed class Waiting : Dataflow.Cluster.IDispatcher
    {
        private readonly Queue<IThreadPoolWorkItem> _work = [];

        public bool RunsInline => false;

        public void Schedule(IThreadPoolWorkItem work) => _work.Enqueue(work);

        public void Run()
        {
            while (_work.TryDequeue(out var work)) work.Execute();
        }
    }

    [Fact]
    public void The_bar_is_drawn_after_half_a_second_and_wiped_at_the_end()
    {
        var time = new ManualTimeProvider();
        var output = new StringWriter();
        var bar = new ConsoleProgress(output, () => 80, time);
        var stage = new StageSummary(new StageId(4), new CallSite("Map", "Program.cs", 12), 4, true, false);
        bar.OnEvent(new JobStarted(new JobId(1), JobProperties.None, [stage]));
        bar.OnEvent(new StageSubmitted(stage.Stage, 0, 4));
        Finish(0);
        Assert.Equal("", output.ToString());

        time.Advance(TimeSpan.FromSeconds(1));
        Finish(1);
        Assert.Contains("[Stage 4: Map at Program.cs:12 ", output.ToString());
        Assert.Contains("(2 + 0) / 4]", output.ToString());
        Assert.True(output.ToString().Trim('\r').Length < 80);

        bar.OnEvent(new JobEnded(new JobId(1), TimeSpan.FromSeconds(1), null));
        Assert.EndsWith(" \r", output.ToString());

        void Finish(int partition)
        {
            var task = new TaskDescription(new TaskId(partition), new JobId(1), stage.Stage, 0, partition, 0);
            bar.OnEvent(new TaskStarted(task, new ExecutorId(0)));
            bar.OnEvent(new TaskFinished(task, new ExecutorId(0), new TaskSucceeded(null), new TaskMetrics(), TimeSpan.Zero));
        }
    }

    [Fact]
    public void A_job_that_waits_for_its_first_executor_says_so_once()
    {
        var time = new ManualTimeProvider();
        var output = new StringWriter();
        (string, string)? lack = ("no worker has joined", "add one with:  dataflow worker");
        using var notice = new WaitNotice(output, () => lack, time);
        time.Advance(TimeSpan.FromSeconds(10));
        notice.OnEvent(new JobStarted(new JobId(1), JobProperties.None, []));
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal("", output.ToString());
        time.Advance(TimeSpan.FromSeconds(2));
        notice.OnEvent(new JobStarted(new JobId(2), JobProperties.None, []));
        time.Advance(TimeSpan.FromSeconds(60));
        const string line = "Waiting for an executor: no worker has joined; add one with:  dataflow worker";
        Assert.Equal(line, output.ToString().Trim());

        // Again when all that came are lost, and not while there is one.
        notice.OnEvent(new ExecutorJoined(new ExecutorId(1), new WorkerId(1), "here", 1));
        lack = null;
        notice.OnEvent(new JobStarted(new JobId(3), JobProperties.None, []));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(line, output.ToString().Trim());
        lack = ("it left", "add another");
        notice.OnEvent(new ExecutorLeft(new ExecutorId(1), "lost"));
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.EndsWith("it left; add another", output.ToString().Trim());
    }
}
