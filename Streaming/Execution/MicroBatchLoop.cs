using System.Diagnostics;
using Dataflow.Files;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.Sources;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Execution;

/// <summary>
/// The life of a query: plan a batch, write down what it reads, compute it and hand it to the sink, write down that it is done. Whatever ends the process, the next one
/// goes on: a batch that was written down and is not done is computed again, from the same rows and the same state.
/// </summary>
internal sealed class MicroBatchLoop : IDisposable
{
    private readonly DataFrame _frame;
    private readonly IStreamSink _sink;
    private readonly StreamingQueryOptions _options;
    private readonly IncrementalPlan _plan;
    private readonly Checkpoint _checkpoint;
    private readonly CheckpointMetadata _metadata;
    private readonly IStreamReader[] _readers = [];
    private readonly Counter[] _inputRows;
    private readonly StateFigures[] _figures;
    private readonly MergingAccumulator<long>[] _times;
    private readonly WatermarkClock _watermarks;
    private readonly BatchPace _pace;

    // Of the batch after the one that runs: where it ends, for readers that know already.
    private readonly string?[] _settled;
    private readonly CancellationTokenSource _looking = new();
    private Task _ahead = Task.CompletedTask;

    // All that batches run is there for the call that started the query.
    private readonly CallSite _site = CallSite.Here("Start");

    private long _batch;
    private OffsetEntry? _planned;
    private string?[] _ends;
    private long? _watermark;
    private long? _due;
    private string[][][] _chains;

    public MicroBatchLoop(DataFrame frame, IStreamSink sink, StreamingQueryOptions options)
    {
        (_frame, _sink, _options) = (frame, sink, options);
        var context = frame.Session.Context;
        StreamingStrategy.AddTo(frame.Session);
        _plan = IncrementalPlanner.Plan(frame, options.OutputMode);
        var sources = _plan.Sources;
        _inputRows = [.. sources.Select((_, i) => context.Counter($"stream rows {i}"))];
        _figures = [.. _plan.Operators.Select(each => StateFigures.Of(context, each.Operator))];
        _times = [.. _plan.Watermarks.Select((_, i) => context.Accumulator($"latest time {i}", long.MinValue, Math.Max))];
        (_ends, _settled) = (new string?[sources.Length], new string?[sources.Length]);
        _watermarks = new WatermarkClock(_plan.Watermarks, options);
        _pace = new BatchPace(options);
        _checkpoint = Checkpoint.Open(options.Checkpoint);
        try
        {
            var wanted = new CheckpointMetadata(
                Guid.NewGuid(), CheckpointMetadata.CurrentVersion, options.StatePartitions, options.OutputMode.ToString(), [.. sources.Select(source => source.Name)],
                [.. _plan.Operators.Select(each => each.Shape)])
            {
                Kinds = [.. sources.Select(source => source is FileStreamSource files ? files.Kind : source.GetType().ToString())],
                Spans = [.. _plan.Operators.Select(each => each.Spans)], State = [.. _plan.Operators.Select(each => each.Describe(new StateNames(_plan.Plan)))],
            };
            if (options.LateRows is not null) CheckLateRows();
            _metadata = _checkpoint.Agree(wanted, context.DefaultParallelism);
            if (_metadata.Spans is { } spans && !ReferenceEquals(_metadata, wanted)) _plan = IncrementalPlanner.Plan(frame, options.OutputMode, spans);
            _chains = [.. _plan.Operators.Select(each => Enumerable.Repeat(Array.Empty<string>(), each.IsSingle ? 1 : _metadata.StatePartitions).ToArray())];
            _readers = new IStreamReader[sources.Length];
            for (var i = 0; i < sources.Length; i++) _readers[i] = sources[i].Open(_checkpoint.SourceFolder(i));
            Recover();
        }
        catch
        {
            foreach (var reader in _readers) reader?.Dispose();
            _checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>The query, from its first start on.</summary>
    public Guid Id => _metadata.Id;

    // Late rows have batches of the same numbers: a database that notes which it has must not take them for the others.
    private Guid LateId
    {
        get
        {
            var bytes = Id.ToByteArray();
            bytes[^1] ^= 0xFF;
            return new Guid(bytes);
        }
    }

    /// <summary>What it does now; null while it waits.</summary>
    public string? Doing { get; private set; }

    /// <summary>What keeps sources from being read; null if nothing does.</summary>
    public string? Problem => string.Join("; ", _readers.Select(reader => reader.Problem).OfType<string>()) is { Length: > 0 } problems ? problems : null;

    /// <summary>What it reads.</summary>
    public string Sources => string.Join(", ", _plan.Sources.Select(source => source.Name));

    /// <summary>How many inputs have a watermark.</summary>
    public int Watermarks => _plan.Watermarks.Length;

    /// <summary>How far behind the latest time the watermark is, of the input that is furthest behind.</summary>
    public TimeSpan Delay => TimeSpan.FromMicroseconds(_plan.Watermarks.Select(each => each.DelayMicroseconds).DefaultIfEmpty(0).Max());

    /// <summary>Goes from batch to batch until there will be none any more.</summary>
    /// <param name="onBatch">Told of each batch.</param>
    /// <param name="onIdle">Called whenever all that is there was computed.</param>
    /// <param name="cancellation">Ends the query between batches or within one.</param>
    public async Task RunAsync(Action<StreamingProgress> onBatch, Action onIdle, CancellationToken cancellation)
    {
        await TellReadersAsync(cancellation).ConfigureAwait(false);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var clock = Stopwatch.StartNew();
            var began = _options.Time.GetUtcNow();
            Doing = $"looks for what is new behind batch {_batch - 1}";
            if (_planned is null && !await PlanAsync(cancellation).ConfigureAwait(false))
            {
                onIdle();
                if (_options.Trigger.EndsWhenDone && !Array.Exists(_readers, reader => reader.WaitsForMore)) return;
                Doing = null;
                await WaitAsync(began, cancellation).ConfigureAwait(false);
                continue;
            }
            var planned = clock.Elapsed;
            _options.Reached?.Invoke("planned", _batch);
            Doing = $"computes batch {_batch}";
            await RunBatchAsync(_planned!, cancellation).ConfigureAwait(false);
            _options.Reached?.Invoke("written", _batch);
            var ran = clock.Elapsed;
            Doing = $"commits batch {_batch}";
            var progress = Commit(_planned!) with { PlanningDuration = planned, RunningDuration = ran - planned, CommitDuration = clock.Elapsed - ran, Duration = clock.Elapsed };
            _planned = null;
            _pace.Note(progress.InputRows, progress.Duration);
            await TellReadersAsync(cancellation).ConfigureAwait(false);
            _options.Reached?.Invoke("committed", progress.BatchId);
            onBatch(progress);
            Doing = null;
            if (_options.Trigger.IsOnce) return;
            if (_options.Trigger.Interval > TimeSpan.Zero) await WaitAsync(began, cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _looking.Cancel();
        _ahead.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        _looking.Dispose();
        foreach (var each in _plan.Operators) _frame.Session.Context.DropState(NameOf(each));
        foreach (var reader in _readers) reader.Dispose();
        _checkpoint.Dispose();
    }

    // Where the last process was.
    private void Recover()
    {
        var (done, planned) = _checkpoint.Find(_metadata);
        if (done >= 0)
        {
            var (entry, commit) = (_checkpoint.Offsets.Read<OffsetEntry>(done), _checkpoint.Commits.Read<CommitEntry>(done));
            (_ends, _watermark, _due, _chains) = (entry.Ends, entry.Watermark, commit.Due, _checkpoint.ChainsOf(_metadata, done));
            _watermarks.Restore(commit.Latest);
        }
        _batch = done + 1;
        if (planned is { } next) _planned = _checkpoint.Offsets.Read<OffsetEntry>(next);
    }

    /// <summary>Finds what is new and writes down that the next batch reads it.</summary>
    /// <returns>False if there is nothing to do.</returns>
    private async Task<bool> PlanAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_frame.Session.Context.IsStopped, _frame.Session.Context);
        var ends = new string?[_readers.Length];
        for (var i = 0; i < ends.Length; i++) ends[i] = _settled[i] ?? await FindEndAsync(_readers[i], _ends[i], cancellation).ConfigureAwait(false);

        // What has become final is given also where no row comes any more.
        var watermark = _watermarks.Next(_watermark);
        var isNew = !ends.SequenceEqual(_ends);
        var now = (_options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var isFinal = _plan.Operators.Any(each => each.WaitsForWatermark) && _options.OutputMode != OutputMode.Complete && watermark > (_watermark ?? long.MinValue);
        if (!isNew && !isFinal && !(_due <= now)) return false;
        var entry = new OffsetEntry(_ends, ends, watermark, _watermark, now);
        Array.Clear(_settled);
        _options.Reached?.Invoke("found", _batch);
        cancellation.ThrowIfCancellationRequested();
        _checkpoint.Offsets.Write(_batch, entry);
        _planned = entry;
        return true;
    }

    private async Task TellReadersAsync(CancellationToken cancellation)
    {
        await EndLookAsync(cancellation).ConfigureAwait(false);
        for (var i = 0; i < _readers.Length; i++)
        {
            if (_ends[i] is { } end) await _readers[i].CommitAsync(end, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<string?> FindEndAsync(IStreamReader reader, string? start, CancellationToken cancellation)
    {
        var end = await reader.FindEndAsync(start, _pace.MostRows, cancellation).ConfigureAwait(false);
        if (!_options.Trigger.IsOnce) return end;
        while (await reader.FindEndAsync(end, long.MaxValue, cancellation).ConfigureAwait(false) is var further && further != end) end = further;
        return end;
    }

    // What the next batch reads, as far as that is settled before this one is done.
    private async Task LookAheadAsync(OffsetEntry entry, CancellationToken cancellation)
    {
        if (_options.Trigger.IsOnce) return;
        for (var i = 0; i < _readers.Length; i++)
        {
            var end = await _readers[i].FindSettledEndAsync(entry.Ends[i], _pace.MostRows, cancellation).ConfigureAwait(false);
            _settled[i] = end == entry.Ends[i] ? null : end;
        }
    }

    // Readers are called one call at a time. What went wrong in a look ahead is found again, and told, when its time comes.
    private async Task EndLookAsync(CancellationToken cancellation)
    {
        await _ahead.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
    }

    private async Task RunBatchAsync(OffsetEntry entry, CancellationToken cancellation)
    {
        foreach (var counter in _inputRows) counter.Reset();
        foreach (var figures in _figures) figures.Reset();
        foreach (var time in _times) time.Reset();
        var frame = new DataFrame(_frame.Session, PlanOf(entry), _frame.Text);
        var settings = _frame.Session.Settings() with { NowMicroseconds = entry.Time };
        _ahead = LookAheadAsync(entry, _looking.Token);
        if (_sink.ReadsOnce) await RunOnceAsync(frame, settings, cancellation).ConfigureAwait(false);
        else await RunKeptAsync(frame, settings, cancellation).ConfigureAwait(false);
        if (_options.LateRows is not { } late || _figures.Sum(figures => figures.Late.Value) == 0) return;
        await EndLookAsync(cancellation).ConfigureAwait(false);
        if (LateFrame(entry) is { } rows) await late.WriteAsync(new StreamBatch(_batch, rows.At(settings), OutputMode.Append) { Query = LateId }, cancellation).ConfigureAwait(false);
    }

    private async Task RunOnceAsync(DataFrame frame, SessionSettings settings, CancellationToken cancellation)
    {
        // What executors keep for the batch goes with it: not when the garbage collector comes to it.
        var runs = new List<QueryRun>();
        try
        {
            await Write(new StreamBatch(_batch, frame.At(settings, runs), _options.OutputMode) { Query = Id }).ConfigureAwait(false);
        }
        finally
        {
            foreach (var run in runs) run.Dispose();
        }

        Task Write(StreamBatch batch)
        {
            using var scope = CallSite.Open(_site);
            return _sink.WriteAsync(batch, cancellation);
        }
    }

    private async Task RunKeptAsync(DataFrame frame, SessionSettings settings, CancellationToken cancellation)
    {
        // Computed once, whole, whatever the sink reads of it and how often.
        var context = _frame.Session.Context;
        using var run = new QueryRun(context, new QueryScope(settings, _frame.Text));
        var frames = Frames();
        try
        {
            await QueryRunErrors.Unwrap(frames.CountAsync(cancellation)).ConfigureAwait(false);
            _options.Reached?.Invoke("computed", _batch);
            var rows = new DataFrame(_frame.Session, Scan.Of(new FramesTable($"batch {_batch}", frame.Schema, frames)), null);
            await _sink.WriteAsync(new StreamBatch(_batch, rows, _options.OutputMode) { Query = Id }, cancellation).ConfigureAwait(false);
        }
        finally
        {
            frames.Unpersist();
        }

        Rdd<byte[]> Frames()
        {
            using var scope = CallSite.Open(_site);
            return QueryResult.Frames(_frame.Session.Planner().Plan(frame.Plan), run).Persist(StorageLevel.MemoryAndDisk);
        }
    }

    private void CheckLateRows()
    {
        var inputs = _plan.Operators.FirstOrDefault()?.LateRows(0).Select(late => late.Input.Output.Select(column => column.Type).ToArray()).ToArray() ?? [];
        if (inputs.Length == 0)
            throw new QueryException("NO_LATE_ROWS", "LateRows gets what comes too late, and in this query nothing does: it forgets nothing by a watermark. Name a time with WithWatermark, and group by it; or leave LateRows out.");
        if (inputs.Any(types => !types.SequenceEqual(inputs[0])))
            throw new QueryException("UNSUPPORTED_STREAMING_OPERATION", "LateRows of a join needs the same columns on both sides, as late rows of both go there. Select the same columns of both, or leave LateRows out.");
    }

    /// <summary>The rows that the batch left out, as they came to the first part of the query with state; null if what it left out came from something with state.</summary>
    private DataFrame? LateFrame(OffsetEntry entry)
    {
        var first = _plan.Operators.First(each => _figures[each.Operator].Late.Value > 0);
        if (first.IsBehindState || LateWatermarkOf(first, entry) is not { } watermark) return null;
        LogicalPlan? late = null;
        foreach (var (input, isLate) in first.LateRows(watermark))
        {
            var rows = new Filter(isLate, WithRows(input, entry));
            late = late is null ? rows : new Union([late, rows], [.. rows.Output.Select(column => column.AsNullable())]);
        }
        return late is null ? null : new DataFrame(_frame.Session, late, _frame.Text);
    }

    // A part of the plan without state, with the batch's rows in it.
    private LogicalPlan WithRows(LogicalPlan part, OffsetEntry entry) => part.Rewrite(each => each is Scan { Table: StreamTable stream } of ? of with { Table = TableOf(stream, entry) } : each);

    /// <summary>The plan with the batch's rows and state in it.</summary>
    private LogicalPlan PlanOf(OffsetEntry entry)
    {
        using var scope = CallSite.Open(_site);
        var counted = new HashSet<int>();
        return _plan.Plan.Rewrite(part => part switch
        {
            // Rows that are read in several places are counted in one.
            Scan { Table: StreamTable stream } of when _plan.IndexOf(stream) is var index && counted.Add(index) => new CountedInput(_inputRows[index], of with { Table = TableOf(stream, entry) }),
            Scan { Table: StreamTable stream } of => of with { Table = TableOf(stream, entry) },
            Watermark watermark => watermark with { Latest = _times[watermark.Number] },
            StatePlan operation => operation with { Batch = BatchOf(operation, entry) },
            _ => part,
        });
    }

    private Sql.Sources.ITable TableOf(StreamTable stream, OffsetEntry entry) => _plan.IndexOf(stream) is var index && entry.Ends[index] is { } end && end != entry.Starts[index]
        ? _readers[index].Read(entry.Starts[index], end)
        : new EmptyTable(stream.Name, stream.Schema);

    private StateBatch BatchOf(StatePlan operation, OffsetEntry entry)
    {
        var chains = _chains[operation.Operator];
        var isSnapshot = chains.Max(chain => chain.SkipWhile(StateChain.IsPutAway).Count()) >= _options.SnapshotInterval;
        return new StateBatch(
            _batch, NameOf(operation), _checkpoint.StateFolder(operation.Operator), chains, entry.Watermark ?? long.MinValue, LateWatermarkOf(operation, entry) ?? long.MinValue, isSnapshot,
            _figures[operation.Operator]) { MostBytes = MostBytesOf(chains.Length), IsDurable = !_checkpoint.IsTemporary, Next = operation.IsBehindState ? null : _watermarks.Ahead(entry.Watermark), Earlier = [.. (_metadata.Earlier ?? []).Select(operators => operators[operation.Operator])] };
    }

    // A part of the memory of an executor, by how many partitions it may have: those that all of them have where there is one.
    private long MostBytesOf(int partitions)
    {
        var all = _options.StateMemoryBytes > 0 ? _options.StateMemoryBytes : _frame.Session.Context.ExecutorMemoryBytes * StatePart;
        return (long)Math.Max(LeastBytes, all / _plan.Operators.Length / partitions);
    }

    // What is final in this batch comes from something with state in front: it must not be too late for who takes it up.
    private static long? LateWatermarkOf(StatePlan operation, OffsetEntry entry) => operation.IsBehindState ? entry.LateWatermark : entry.Watermark;

    private string NameOf(StatePlan operation) => $"stream/{_metadata.Id:n}/{operation.Operator}";

    private StreamingProgress Commit(OffsetEntry entry)
    {
        for (var i = 0; i < _times.Length; i++) _watermarks.Note(i, _times[i].Value);
        string[][][] chains = [.. _plan.Operators.Select(each => StateChain.After(_chains[each.Operator], _figures[each.Operator].Files.Value))];
        _due = _figures.Select(each => each.Due.Value).Append(long.MaxValue).Min() is < long.MaxValue and var due ? due : null;
        _checkpoint.Commits.Write(_batch, new CommitEntry(_watermarks.Latest, chains) { Due = _due });
        _options.Reached?.Invoke("logged", _batch);
        (_ends, _watermark, _chains) = (entry.Ends, entry.Watermark, chains);
        _checkpoint.Clean(_batch, chains);
        var progress = new StreamingProgress(_batch, TimeOf(entry.Time), _inputRows.Sum(rows => rows.Value), TimeSpan.Zero)
        {
            Sources = [.. _plan.Sources.Select((source, i) => new SourceProgress(source.Name, entry.Starts[i], entry.Ends[i], _inputRows[i].Value))],
            Sink = _sink.Name,
            LatestTime = _watermarks.Latest.Max() is { } latest ? TimeOf(latest) : null,
            NextFinal = _figures.Select(each => each.NextEnd.Value).DefaultIfEmpty(long.MaxValue).Min() is var next && next < long.MaxValue ? TimeOf(next) : null,
            Watermark = entry.Watermark is { } watermark ? TimeOf(watermark) : null,
            LateRows = _figures.Sum(each => each.Late.Value),
            StateRows = _figures.Sum(each => each.Rows.Value),
            StateOperators = [.. _plan.Operators.Zip(_figures, (each, figures) =>
                new StateOperatorProgress(each.Shape, figures.Rows.Value, figures.Updated.Value, figures.Removed.Value, figures.Late.Value)
                {
                    LateRowsByInput = each.Inputs.Count > 1 ? [figures.Late.Value - figures.LateRight.Value, figures.LateRight.Value] : [figures.Late.Value],
                })],
        };
        _batch++;
        return progress;
    }

    // Frames have times that .NET has not: the nearest that it has.
    private static DateTimeOffset TimeOf(long microseconds) => new(
        (long)Int128.Clamp(((Int128)microseconds * TimeSpan.TicksPerMicrosecond) + DateTimeOffset.UnixEpoch.Ticks, DateTimeOffset.MinValue.Ticks, DateTimeOffset.MaxValue.Ticks), TimeSpan.Zero);

    private async Task WaitAsync(DateTimeOffset began, CancellationToken cancellation)
    {
        var interval = _options.Trigger.Interval;
        var now = _options.Time.GetUtcNow();
        var wait = interval == TimeSpan.Zero ? Polling : new DateTimeOffset(((began.UtcTicks / interval.Ticks) + 1) * interval.Ticks, TimeSpan.Zero) - now;
        if (wait > TimeSpan.Zero) await Task.Delay(wait, _options.Time, cancellation).ConfigureAwait(false);
    }

    // Tables hold twice their memory while they grow, what is put away is told apart by shares in memory of its own, and rows come through exchanges meanwhile.
    private const double StatePart = 0.2;
    private const double LeastBytes = 64 << 10;

    private static readonly TimeSpan Polling = TimeSpan.FromMilliseconds(20);
}
