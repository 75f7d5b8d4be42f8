using System.Diagnostics;
using System.Diagnostics.Metrics;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Diagnostics;

/// <summary>The engine's instruments: meter and activity source <c>Dataflow</c>. Anything that listens to .NET's diagnostics can read them.</summary>
/// <remarks>Jobs are activities named <c>dataflow.job</c>, children of whatever activity the program is in.</remarks>
internal sealed class EngineMetrics : JobListener, IDisposable
{
    public const string Name = "Dataflow";

    public static readonly ActivitySource Activities = new(Name);

    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _jobs;
    private readonly Counter<long> _tasks;
    private readonly Histogram<double> _taskTime;
    private readonly Counter<long> _input;
    private readonly Counter<long> _output;
    private readonly Counter<long> _shuffleRead;
    private readonly Counter<long> _shuffleWrite;
    private readonly Counter<long> _spilled;

    public EngineMetrics(NativePool pool, MemoryBudget memory)
    {
        _jobs = _meter.CreateCounter<long>("dataflow.jobs", "{job}", "Jobs that ended, by outcome");
        _tasks = _meter.CreateCounter<long>("dataflow.tasks", "{task}", "Task attempts that ended, by outcome");
        _taskTime = _meter.CreateHistogram<double>("dataflow.task.duration", "s", "Run time of task attempts");
        _input = _meter.CreateCounter<long>("dataflow.input", "By", "Bytes read from files");
        _output = _meter.CreateCounter<long>("dataflow.output", "By", "Bytes written to files");
        _shuffleRead = _meter.CreateCounter<long>("dataflow.shuffle.read", "By", "Bytes of shuffle segments read");
        _shuffleWrite = _meter.CreateCounter<long>("dataflow.shuffle.write", "By", "Bytes of shuffle segments written");
        _spilled = _meter.CreateCounter<long>("dataflow.spilled", "By", "Bytes moved from memory to disk");
        _meter.CreateObservableGauge("dataflow.memory.reserved", () => memory.ReservedBytes, "By", "Engine memory reserved");
        _meter.CreateObservableGauge("dataflow.memory.limit", () => memory.LimitBytes, "By", "Engine memory that may be reserved now");
        _meter.CreateObservableGauge("dataflow.memory.native", () => pool.OutstandingBytes, "By", "Native memory in use");
    }

    /// <summary>Whether anybody reads what events are counted into.</summary>
    internal override bool Listens =>
        _jobs.Enabled || _tasks.Enabled || _taskTime.Enabled || _input.Enabled || _output.Enabled || _shuffleRead.Enabled || _shuffleWrite.Enabled || _spilled.Enabled;

    public override void OnJobEnded(JobEnded news) =>
        _jobs.Add(1, new KeyValuePair<string, object?>("outcome", news.Failure is null ? "succeeded" : "failed"));

    public override void OnTaskFinished(TaskFinished news)
    {
        _tasks.Add(1, new KeyValuePair<string, object?>("outcome", news.Outcome.GetType().Name));
        _taskTime.Record(news.Duration.TotalSeconds);
        var metrics = news.Metrics;
        Add(_input, metrics.InputBytes);
        Add(_output, metrics.OutputBytes);
        Add(_shuffleRead, metrics.ShuffleReadBytes);
        Add(_shuffleWrite, metrics.ShuffleWriteBytes);
        Add(_spilled, metrics.SpilledBytes);
    }

    public void Dispose() => _meter.Dispose();

    private static void Add(Counter<long> counter, long value)
    {
        if (value > 0) counter.Add(value);
    }
}
