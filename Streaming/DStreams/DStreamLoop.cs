using System.Globalization;
using System.Threading.Channels;
using Dataflow.Files;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.DStreams;

/// <summary>
/// The life of a context: at the end of each interval it is written down what the batch reads; batches run one after the other; when one is done, that is written down. A batch has a number,
/// which says its time: that many intervals after the beginning.
/// </summary>
internal sealed class DStreamLoop : IDisposable
{
    private readonly StreamingContext _streaming;
    private readonly StreamingContextOptions _options;
    private readonly Checkpoint _checkpoint;
    private readonly RateController? _rate;
    private readonly long _saveEvery;
    private readonly List<SavedState>[] _saved;
    private readonly SortedDictionary<long, DStreamPlan> _plans = [];
    private readonly Lock _lock = new();
    private IStateDStream?[] _states = [];
    private string?[] _ends;
    private long _next = 1;
    private long _done;
    private bool _isFirst = true;

    public DStreamLoop(StreamingContext streaming, string? folder, string[] shape, DateTimeOffset zero)
    {
        (_streaming, _options) = (streaming, streaming.Options);
        if (_options.AdaptsRate) _rate = new RateController(streaming.Interval, _options.MinRate, _options.MaxRate);
        var saveEvery = _options.CheckpointInterval ?? TimeSpan.FromSeconds(10);
        _saveEvery = Math.Max(1, (long)Math.Ceiling(saveEvery / streaming.Interval));
        _saved = [.. streaming.States.Select(_ => new List<SavedState>())];
        _ends = new string?[streaming.Inputs.Count];
        _checkpoint = Checkpoint.Open(folder);
        try
        {
            Zero = DStreamCheckpoint.Agree(_checkpoint.Folder, new DStreamMetadata(DStreamMetadata.CurrentVersion, streaming.Interval.Ticks, zero.UtcTicks, shape));
        }
        catch
        {
            _checkpoint.Dispose();
            throw;
        }
    }

    public DateTimeOffset Zero { get; }

    public DateTimeOffset Done => TimeOf(Volatile.Read(ref _done));

    /// <summary>Opens the inputs, and finds out where the last process was.</summary>
    public void Open()
    {
        // State that no output reads is never computed.
        var read = new HashSet<DStream>();
        foreach (var output in _streaming.Outputs) Reach(output.Stream);
        _states = [.. _streaming.States.Select(state => read.Contains(state.Stream) ? state : null)];
        for (var i = 0; i < _ends.Length; i++) _streaming.Inputs[i].Open(_checkpoint.SourceFolder(i));
        foreach (var number in _checkpoint.Offsets.Numbers())
        {
            if (_plans.Count > 0 && number != _next) throw _checkpoint.Offsets.Missing(_next);
            var plan = _checkpoint.Offsets.Read<DStreamPlan>(number);
            Plan(number, plan);
            (_next, _ends) = (number + 1, plan.Ends);
        }
        if (_checkpoint.Commits.Numbers() is { Length: > 0 } commits)
        {
            _done = commits[^1];
            if (_done >= _next) throw _checkpoint.Offsets.Missing(_done);
            foreach (var saved in _checkpoint.Commits.Read<DStreamCommit>(_done).States)
            {
                _saved[saved.State].Add(saved);
                _streaming.States[saved.State].Restore(TimeOf(saved.Number), FilePath.Combine(_checkpoint.Folder, saved.Path));
            }
        }

        void Reach(DStream stream)
        {
            if (!read.Add(stream)) return;
            foreach (var parent in stream.Parents) Reach(parent);
        }
    }

    /// <summary>Runs batches until the context stops.</summary>
    /// <param name="note">Told of each batch.</param>
    /// <param name="drain">Ends it when all that was taken in is worked on.</param>
    /// <param name="stop">Ends it at once.</param>
    public async Task RunAsync(Action<DStreamBatch> note, CancellationToken drain, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var queue = Channel.CreateUnbounded<long>(new() { SingleReader = true, SingleWriter = true });
        var planning = Task.CompletedTask;
        try
        {
            await DropAsync(ending.Token).ConfigureAwait(false);
            foreach (var input in _streaming.Inputs) input.Begin();
            planning = PlanAsync(queue.Writer, drain, ending.Token);
            await foreach (var number in queue.Reader.ReadAllAsync(ending.Token).ConfigureAwait(false)) note(await RunBatchAsync(number, ending.Token).ConfigureAwait(false));
        }
        catch (Exception error) when (stop.IsCancellationRequested && error is OperationCanceledException or JobFailedException)
        {
            // Stopped.
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await planning.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var input in _streaming.Inputs) input.Dispose();
        _checkpoint.Dispose();
    }

    // What was planned and is not done comes first; then a batch at the end of each interval.
    private async Task PlanAsync(ChannelWriter<long> queue, CancellationToken drain, CancellationToken stop)
    {
        try
        {
            for (var number = _done + 1; number < _next; number++) queue.TryWrite(number);
            while (await WaitAsync(TimeOf(_next), drain, stop).ConfigureAwait(false))
            {
                await PlanAsync(stop).ConfigureAwait(false);
                queue.TryWrite(_next++);
            }
            foreach (var input in _streaming.Inputs) await input.EndAsync().ConfigureAwait(false);
            while (true)
            {
                var before = _ends;
                await PlanAsync(stop, isLast: true).ConfigureAwait(false);
                if (before.SequenceEqual(_ends)) break;
                queue.TryWrite(_next++);
            }
            queue.Complete();
        }
        catch (Exception error)
        {
            queue.Complete(error);
        }
    }

    private async Task PlanAsync(CancellationToken stop, bool isLast = false)
    {
        var perSecond = Math.Min(_rate?.Rate ?? double.PositiveInfinity, _options.MaxRate);
        var most = Math.Max(1, perSecond * _streaming.Interval.TotalSeconds);
        var ends = new string?[_ends.Length];
        for (var i = 0; i < ends.Length; i++) ends[i] = await _streaming.Inputs[i].FindEndAsync(_ends[i], most >= long.MaxValue ? long.MaxValue : (long)most, stop).ConfigureAwait(false);
        if (isLast && ends.SequenceEqual(_ends)) return;
        var plan = new DStreamPlan(_ends, ends);
        await Task.Run(() => _checkpoint.Offsets.Write(_next, plan), stop).ConfigureAwait(false);
        Plan(_next, plan);
        _ends = ends;
        _options.Reached?.Invoke("planned", _next);
    }

    // False if the context is to stop when all is done.
    private async Task<bool> WaitAsync(DateTimeOffset time, CancellationToken drain, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(drain, stop);
        while (!either.IsCancellationRequested && _options.Time.GetUtcNow() is var now && now < time)
            await Task.Delay(time - now, _options.Time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
        return !drain.IsCancellationRequested;
    }

    private async Task<DStreamBatch> RunBatchAsync(long number, CancellationToken stop)
    {
        var (time, began) = (TimeOf(number), _options.Time.GetTimestamp());
        var waited = _options.Time.GetUtcNow() - time;
        // State goes from interval to interval, also where outputs look at it less often.
        for (var i = 0; i < _states.Length; i++) _states[i]?.Prepare(_isFirst ? TimeOf(_saved[i].FirstOrDefault()?.Number ?? 0) : time, time);
        _isFirst = false;
        foreach (var output in _streaming.Outputs)
        {
            if (output.Stream.HasTime(time)) await output.RunAsync(time, stop).ConfigureAwait(false);
        }
        _options.Reached?.Invoke("run", number);
        await SaveAsync(number, stop).ConfigureAwait(false);
        _options.Reached?.Invoke("saved", number);
        await Task.Run(() => _checkpoint.Commits.Write(number, new DStreamCommit([.. _saved.SelectMany(saved => saved)])), stop).ConfigureAwait(false);
        Volatile.Write(ref _done, number);
        _options.Reached?.Invoke("committed", number);
        DStreamPlan plan;
        lock (_lock) plan = _plans[number];
        var rows = _streaming.Inputs.Select((input, i) => input.CountOf(plan.Starts[i], plan.Ends[i])).Sum();
        _streaming.Forget(time);
        await DropAsync(stop).ConfigureAwait(false);
        var batch = new DStreamBatch(time, rows, waited > TimeSpan.Zero ? waited : TimeSpan.Zero, _options.Time.GetElapsedTime(began));
        _rate?.Note(rows, batch.ProcessingTime, batch.SchedulingDelay);
        return batch;
    }

    // State of streams that have not been written for so long. What was written before stays as long as a restart needs state from before the last: for windows over state, and for state that
    // is made of other state, which comes behind it.
    private async Task SaveAsync(long number, CancellationToken stop)
    {
        var (time, needed) = (TimeOf(number), number);
        for (var i = 0; i < _states.Length; i++)
        {
            if (_states[i] is not { } state || !state.Stream.HasTime(time) || number - (_saved[i].LastOrDefault()?.Number ?? 0) < _saveEvery) continue;
            var path = string.Create(CultureInfo.InvariantCulture, $"state/{i}/{number}");
            await state.SaveAsync(time, FilePath.Combine(_checkpoint.Folder, path), stop).ConfigureAwait(false);
            _saved[i].Add(new SavedState(i, number, path));
        }
        for (var i = _states.Length - 1; i >= 0; i--)
        {
            if (_states[i] is not { } state) continue;
            while (_saved[i].Count > 1 && _saved[i][1].Number <= needed - BatchesIn(state.Stream.Kept)) _saved[i].RemoveAt(0);
            needed = Math.Min(needed, _saved[i].FirstOrDefault()?.Number ?? 0);
        }
    }

    // What no batch needs any more: a restart makes state again from where it was last written, and reads for that what windows reach back to.
    private async Task DropAsync(CancellationToken stop)
    {
        var from = _done;
        for (var i = 0; i < _states.Length; i++)
        {
            if (_states[i] is not null) from = Math.Min(from, _saved[i].FirstOrDefault()?.Number ?? 0);
        }
        var kept = _streaming.Inputs.OfType<DStream>().Select(input => input.Kept).DefaultIfEmpty().Max();
        from -= BatchesIn(kept) + 1;
        if (from <= 0) return;
        string?[]? ends = null;
        lock (_lock)
        {
            while (_plans.Count > 0 && _plans.First() is { Key: var number, Value: var plan } && number <= from)
            {
                ends = plan.Ends;
                _plans.Remove(number);
            }
        }
        if (ends is null) return;
        for (var i = 0; i < ends.Length; i++)
        {
            if (ends[i] is { } end) await _streaming.Inputs[i].CommitAsync(end, stop).ConfigureAwait(false);
        }
        await Task.Run(() => Clean(from + 1), stop).ConfigureAwait(false);
    }

    private void Clean(long from)
    {
        _checkpoint.Offsets.DropBelow(from);
        _checkpoint.Commits.DropBelow(Math.Min(from, _done));
        for (var i = 0; i < _states.Length; i++)
        {
            if (_saved[i].FirstOrDefault() is not { } saved) continue;
            var folder = _checkpoint.StateFolder(i);
            foreach (var entry in FileSystems.For(folder).List(folder))
            {
                if (long.TryParse(FilePath.NameOf(entry.Path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < saved.Number) FileSystems.For(folder).Delete(entry.Path);
            }
        }
    }

    private void Plan(long number, DStreamPlan plan)
    {
        lock (_lock) _plans[number] = plan;
        for (var i = 0; i < plan.Ends.Length; i++) _streaming.Inputs[i].Plan(TimeOf(number), plan.Starts[i], plan.Ends[i]);
    }

    private long BatchesIn(TimeSpan time) => (long)Math.Ceiling(time / _streaming.Interval);

    private DateTimeOffset TimeOf(long number) => Zero + (number * _streaming.Interval);
}
