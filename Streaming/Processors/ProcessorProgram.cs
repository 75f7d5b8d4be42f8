using Dataflow.Streaming.Groups;

namespace Dataflow.Streaming.Processors;

/// <summary>A <see cref="StatefulProcessor{TKey, TRow, TOut}"/>.</summary>
internal sealed class ProcessorProgram<TKey, TRow, TOut> : GroupProgram<TKey, TRow, TOut>
{
    private readonly Func<StatefulProcessor<TKey, TRow, TOut>> _make;
    private readonly GroupTimeout _timers;
    private readonly string _shape;
    private readonly string[] _names;

    public ProcessorProgram(Func<StatefulProcessor<TKey, TRow, TOut>> make, GroupTimeout timers)
    {
        (_make, _timers) = (make, timers);

        // What is kept is asked of one here, before any task has one.
        var handle = new ProcessorHandle(null, null);
        Make().Init(handle);
        _names = [.. handle.Kept.Select(each => each.Name), ProcessorHandle.Timers];
        _shape = string.Concat(handle.Kept.OrderBy(each => each.Name, StringComparer.Ordinal).Select(each => $"; keeps {each.Kind} {each.Name}={each.Shape}"));
    }

    public override string Verb => "TransformWithState";

    public override GroupTimeout Timeout => _timers;

    public override string Shape => $"timers {_timers}{_shape}";

    public override GroupNames Names => new(_names);

    public override GroupFunctions<TKey, TRow, TOut> Open(GroupEntries entries)
    {
        var processor = Make();
        processor.Init(new ProcessorHandle(Names, entries));
        return new Functions(processor, entries, new GroupTimers(entries, _names.Length - 1, _timers));
    }

    private StatefulProcessor<TKey, TRow, TOut> Make() => _make() ?? throw new InvalidOperationException("What makes processors of TransformWithState gave null. Let it make a new one each time.");

    private sealed class Functions(StatefulProcessor<TKey, TRow, TOut> processor, GroupEntries entries, GroupTimers timers) : GroupFunctions<TKey, TRow, TOut>
    {
        public override IEnumerable<TOut> OnRows(TKey key, IEnumerable<TRow> rows) => processor.HandleRows(key, rows, timers);

        public override IEnumerable<TOut> OnTime(TKey key, GroupEntry due)
        {
            entries.Remove(due);
            return processor.HandleExpiredTimer(key, GroupClock.At(due.Time), timers);
        }

        public override void OnInitial<TInitial>(TKey key, TInitial row) => ((StatefulProcessor<TKey, TRow, TOut, TInitial>)processor).HandleInitialState(key, row, timers);

        public override void Close() => processor.Close();
    }
}
