using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.DStreams;

/// <summary>
/// The door to streams of Rdds: makes one of each stream at the end of each interval, and has outputs work on them. Streams and outputs are described first, then <see cref="Start"/> begins.
/// </summary>
/// <remarks>With a checkpoint (<see cref="GetOrCreate"/>) what receivers take in, what each batch reads and, now and then, state are written down: who starts again with it, whatever ended
/// the process, goes on with the batch that was under way. Intervals that passed meanwhile run one after the other, so that windows are the same.</remarks>
public sealed partial class StreamingContext : IAsyncDisposable
{
    private readonly List<DStream> _streams = [];
    private readonly List<IInputDStream> _inputs = [];
    private readonly List<IStateDStream> _states = [];
    private readonly List<IDStreamOutput> _outputs = [];
    private readonly List<string> _shape = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _draining = new();
    private TimeSpan _remember;
    private string? _checkpoint;
    private DStreamLoop? _loop;
    private Task _running = Task.CompletedTask;

    /// <summary>Makes one without streams.</summary>
    /// <param name="context">Where Rdds are computed. It is not disposed with this one.</param>
    /// <param name="interval">How often: intervals end at multiples of it.</param>
    /// <param name="options">State, rates, clock; null for the defaults.</param>
    public StreamingContext(DataflowContext context, TimeSpan interval, StreamingContextOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, TimeSpan.FromMilliseconds(1));
        (Context, Interval, Options) = (context, interval, options ?? new());
    }

    /// <summary>Where Rdds are computed.</summary>
    public DataflowContext Context { get; }

    /// <summary>How often there is a batch.</summary>
    public TimeSpan Interval { get; }

    /// <summary>The last batch that is done; null before the first.</summary>
    public DStreamBatch? LastBatch { get; private set; }

    /// <summary>Told of each batch that is done.</summary>
    public event Action<DStreamBatch>? BatchCompleted;

    /// <summary>The time of the last batch that is done, by this process or one before.</summary>
    internal DateTimeOffset Done => _loop?.Done ?? default;

    internal StreamingContextOptions Options { get; }

    /// <summary>What intervals are counted from: the interval before the first.</summary>
    internal DateTimeOffset Zero { get; private set; } = DateTimeOffset.MaxValue;

    internal IReadOnlyList<IInputDStream> Inputs => _inputs;

    internal IReadOnlyList<IStateDStream> States => _states;

    internal IReadOnlyList<IDStreamOutput> Outputs => _outputs;

    /// <summary>Makes a context that goes on with a checkpoint, or begins it.</summary>
    /// <remarks>Functions can't be stored: the program describes its streams anew each time, and what can be compared (verbs, their order, types, intervals) is. What functions do may change.</remarks>
    /// <param name="checkpoint">The folder. On executors' machines too, in a cluster.</param>
    /// <param name="create">Makes the context and describes its streams and outputs, without starting it.</param>
    public static StreamingContext GetOrCreate(string checkpoint, Func<StreamingContext> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        var streaming = create();
        streaming.Checkpoint(checkpoint);
        return streaming;
    }

    /// <summary>Keeps what is needed to go on in a folder, and goes on with it if something is there. Without, it is kept in a temporary folder for as long as the context lives.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="InvalidOperationException">It has been started, or has another one.</exception>
    public void Checkpoint(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        CheckNotStarted();
        if (_checkpoint is not null && _checkpoint != folder) throw new InvalidOperationException($"The context has the checkpoint '{_checkpoint}' already, and can't have '{folder}' too.");
        _checkpoint = folder;
    }

    /// <summary>Keeps Rdds for longer than windows need them, for <see cref="DStream{T}.Slice"/>.</summary>
    /// <param name="duration">How long.</param>
    public void Remember(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        CheckNotStarted();
        _remember = duration;
    }

    /// <summary>Begins. The first batch is that of the interval which is under way.</summary>
    /// <exception cref="InvalidOperationException">It was started before, or there is no output.</exception>
    /// <exception cref="StreamingException">The checkpoint is of other streams, in use, or damaged.</exception>
    public void Start()
    {
        CheckNotStarted();
        if (_outputs.Count == 0) throw new InvalidOperationException("Nothing would be computed: add an output first, such as stream.Print() or stream.ForeachRdd(...).");
        foreach (var input in _inputs)
        {
            if (_checkpoint is not null && input.LostOnRestart is { } why)
            {
                throw new StreamingException(
                    "NO_RESTART", $"The context has a checkpoint, '{_checkpoint}', and {why}. Leave the checkpoint out, or take another stream, such as ReceiverStream.");
            }
        }
        var now = Options.Time.GetUtcNow();
        _loop = new DStreamLoop(this, _checkpoint, [.. _streams.Select(stream => stream.Shape), .. _shape], new DateTimeOffset(now.UtcTicks - (now.UtcTicks % Interval.Ticks), TimeSpan.Zero));
        try
        {
            Zero = _loop.Zero;
            foreach (var stream in _streams) stream.Require(_remember > stream.SlideDuration ? _remember : stream.SlideDuration);
            _loop.Open();
        }
        catch
        {
            _loop.Dispose();
            throw;
        }
        _running = Task.Run(() => _loop.RunAsync(Note, _draining.Token, _stopping.Token));
    }

    /// <summary>Waits until the context ends: stopped, or with an error.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="Exception">What ended it.</exception>
    public Task AwaitTerminationAsync(CancellationToken cancellationToken = default) => _running.WaitAsync(cancellationToken);

    /// <summary>Stops, and waits until it has.</summary>
    /// <param name="graceful">Whether receivers stop first, and all that they took in is worked on. Else a batch that is under way is given up; with a checkpoint the next start runs it again.</param>
    /// <exception cref="Exception">What ended it, if that was an error.</exception>
    public async Task StopAsync(bool graceful = false)
    {
        await (graceful ? _draining : _stopping).CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    /// <summary>Stops, not gracefully. What ended it, if that was an error, is not thrown.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    internal int Add(DStream stream)
    {
        CheckNotStarted();
        _streams.Add(stream);
        if (stream is IInputDStream input) _inputs.Add(input);
        return _streams.Count - 1;
    }

    internal void AddState(IStateDStream state) => _states.Add(state);

    internal void Add(string operation, IDStreamOutput output)
    {
        CheckNotStarted();
        _outputs.Add(output);
        _shape.Add($"{operation}({output.Stream.Id})");
    }

    internal void CheckNotStarted()
    {
        if (_loop is not null) throw new InvalidOperationException("The context has been started: describe streams and outputs before. For others make another context.");
    }

    internal void CheckWindow(DStream stream, TimeSpan length, TimeSpan slide)
    {
        foreach (var (what, value) in new[] { ("length", length), ("slide", slide) })
        {
            if (value > TimeSpan.Zero && value.Ticks % stream.SlideDuration.Ticks == 0) continue;
            throw new StreamingException(
                "WINDOW_OF_INTERVALS",
                $"A window's {what} of {value} is no multiple of {stream.SlideDuration}, by which the stream goes on. "
                + $"Take {stream.SlideDuration * Math.Max(1, Math.Ceiling(value / stream.SlideDuration))}, or another interval.");
        }
    }

    internal void CheckSlides(IReadOnlyList<DStream> streams)
    {
        foreach (var stream in streams)
        {
            if (stream.Streaming != this) throw new ArgumentException("A stream is of another context: only those of one can be put together.", nameof(streams));
            if (stream.SlideDuration != streams[0].SlideDuration)
                throw new StreamingException("SLIDES_DIFFER", $"One stream goes on by {streams[0].SlideDuration} and another by {stream.SlideDuration}: give both a window with the same slide.");
        }
    }

    internal Partitioner<TKey> PartitionerOf<TKey>(int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partitions);
        return new HashPartitioner<TKey>(partitions == 0 ? Context.DefaultParallelism : partitions);
    }

    /// <summary>The first time of a stream that is not before another.</summary>
    internal DateTimeOffset FirstTime(DStream stream, DateTimeOffset from) =>
        Zero.AddTicks(Math.Max(1, (long)Math.Ceiling((double)(from - Zero).Ticks / stream.SlideDuration.Ticks)) * stream.SlideDuration.Ticks);

    internal void Forget(DateTimeOffset now)
    {
        foreach (var stream in _streams) stream.Forget(now);
    }

    private void Note(DStreamBatch batch)
    {
        LastBatch = batch;
        BatchCompleted?.Invoke(batch);
    }
}
