using System.Text.Json;
using Dataflow.Files;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Execution;

/// <summary>What never changes of a query with a checkpoint.</summary>
/// <param name="Id">The query, from its first start on.</param>
/// <param name="Version">Of the layout.</param>
/// <param name="StatePartitions">In how many partitions state is kept.</param>
/// <param name="OutputMode">Which rows are given.</param>
/// <param name="Sources">The streams.</param>
/// <param name="Operators">What has state.</param>
internal sealed record CheckpointMetadata(Guid Id, int Version, int StatePartitions, string OutputMode, string[] Sources, string[] Operators)
{
    public const int CurrentVersion = 1;

    /// <summary>By operator: the spans of times that its state lies in. They stay those of the first start, whatever the delay is later.</summary>
    public long[][]? Spans { get; init; }

    /// <summary>By operator: what its state is. Null in checkpoints of versions that did not say.</summary>
    public StateDescription[]? State { get; init; }

    /// <summary>The state after a batch in other files than its commit names; null where it lies as the commits say.</summary>
    public RescaledState? Rescaled { get; init; }

    /// <summary>What kinds of sources the streams are: each has offsets of its own. Null in checkpoints of versions that did not say.</summary>
    public string[]? Kinds { get; init; }

    /// <summary>What had state in earlier starts, where that has changed since in a way that it may.</summary>
    public string[][]? Earlier { get; init; }
}

/// <summary>State that was put into another number of partitions.</summary>
/// <param name="Batch">The last batch that was done then.</param>
/// <param name="Chains">As <see cref="CommitEntry.Chains"/>: takes the place of these for that batch.</param>
internal sealed record RescaledState(long Batch, string[][][] Chains);

/// <summary>What a batch reads: written before it runs, so that it reads the same when it runs again.</summary>
/// <param name="Starts">By source: where it begins; null for the beginning.</param>
/// <param name="Ends">By source: where it ends; null for nothing yet.</param>
/// <param name="Watermark">Microseconds; what ended before is final in it. Null for nothing.</param>
/// <param name="LateWatermark">That of the batch before: behind something with state, what ended before it comes too late. Null for nothing.</param>
/// <param name="Time">Microseconds since 1970: when it was planned.</param>
internal sealed record OffsetEntry(string?[] Starts, string?[] Ends, long? Watermark, long? LateWatermark, long Time);

/// <summary>What a batch has done: written when its rows are where they belong.</summary>
/// <param name="Latest">By watermark: the latest time of any row so far; null for none.</param>
/// <param name="Chains">By operator and partition: the files that make its state.</param>
internal sealed record CommitEntry(long?[] Latest, string[][][] Chains)
{
    /// <summary>Microseconds since 1970: when the next batch is wanted, rows or no rows. Null for none.</summary>
    public long? Due { get; init; }
}

/// <summary>
/// The folder that a query goes on from: <c>metadata</c>, <c>offsets/N</c> (what batch N reads), <c>commits/N</c> (that it is done, and which files are its state),
/// <c>state/OPERATOR/N-*</c>, <c>sources/I/</c>. Only what a commit names counts: attempts that were lost may have left anything.
/// </summary>
internal sealed class Checkpoint : IDisposable
{
    // Batches whose entries stay, for people who look.
    private const long Kept = 100;

    private readonly IFileSystem _system;
    private readonly IDisposable? _lock;
    private readonly Dictionary<int, HashSet<string>> _state = [];

    private Checkpoint(string folder, IFileSystem system, IDisposable? held, bool isTemporary)
    {
        (Folder, _system, _lock, IsTemporary) = (folder, system, held, isTemporary);
        Offsets = new DurableLog(FilePath.Combine(folder, "offsets"), !isTemporary);
        Commits = new DurableLog(FilePath.Combine(folder, "commits"), !isTemporary);
    }

    public string Folder { get; }

    /// <summary>Whether it goes with the query: nothing in it need outlive a power cut.</summary>
    public bool IsTemporary { get; }

    public DurableLog Offsets { get; }

    public DurableLog Commits { get; }

    /// <summary>Looks at a folder that another may work with.</summary>
    /// <exception cref="StreamingException">There is no checkpoint.</exception>
    public static (Checkpoint Checkpoint, CheckpointMetadata Metadata) Look(string path)
    {
        var folder = FileSystems.Resolve(path);
        var checkpoint = new Checkpoint(folder, FileSystems.For(folder), null, isTemporary: false);
        return (checkpoint, checkpoint.Metadata() ?? throw new StreamingException(
            "CHECKPOINT_MISSING", $"'{folder}' is no checkpoint of a query over streams, or its query has not begun yet: it has no metadata. Name the folder that the query's Checkpoint names."));
    }

    /// <summary>Opens a folder, and has it for itself.</summary>
    /// <param name="path">Null for a temporary one.</param>
    public static Checkpoint Open(string? path)
    {
        var folder = FileSystems.Resolve(path ?? Path.Combine(Path.GetTempPath(), $"dataflow-stream-{Guid.NewGuid():n}"));
        var system = FileSystems.For(folder);
        try
        {
            system.CreateFolder(folder, durable: path is not null);
            var held = !system.HasLocks ? null : system.TryLock(FilePath.Combine(folder, "_lock"))
                ?? throw new StreamingException("CHECKPOINT_IN_USE", $"Another query works with the checkpoint '{folder}'. End it first, or give this one a folder of its own.");
            return new Checkpoint(folder, system, held, path is null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StreamingException("CHECKPOINT_NOT_WRITABLE", $"The checkpoint '{folder}' can't be made, or not be written: {error.Message} Name a folder that this program may write.", error);
        }
    }

    /// <summary>The metadata: that of the first start, which this one must fit.</summary>
    /// <param name="wanted">That of this start; 0 partitions of state are those that are there.</param>
    /// <param name="parallelism">How many partitions the first start makes if none are asked for.</param>
    /// <exception cref="StreamingException">The query is another one: says what differs.</exception>
    public CheckpointMetadata Agree(CheckpointMetadata wanted, int parallelism)
    {
        var log = new DurableLog(FilePath.Combine(Folder, "metadata"), !IsTemporary);
        var numbers = log.Numbers();
        if (numbers.Length == 0)
        {
            if (Offsets.Numbers().Length > 0 || Commits.Numbers().Length > 0) throw log.Missing(0);
            if (wanted.StatePartitions == 0) wanted = wanted with { StatePartitions = Math.Max(1, parallelism) };
            log.Write(0, wanted);
            return wanted;
        }
        var there = Metadata()!;
        var differences = new List<string>();
        Compare("the output mode", [there.OutputMode], [wanted.OutputMode]);
        if (there.Sources.Length != wanted.Sources.Length) differences.Add($"it read {there.Sources.Length} streams ({string.Join("; ", there.Sources)}), and now {wanted.Sources.Length} ({string.Join("; ", wanted.Sources)})");
        else if (there.Kinds is { } kinds && !kinds.SequenceEqual(wanted.Kinds!)) differences.Add($"it read {string.Join("; ", there.Sources)}, and now {string.Join("; ", wanted.Sources)}: another kind of source");
        var changes = there.Operators.Length == wanted.Operators.Length ? Stored.GroupShape.Changes(there.Operators, wanted.Operators) : null;
        if (changes is null) Compare("state", there.Operators, wanted.Operators);
        else differences.AddRange(changes);
        if (wanted.StatePartitions > 0 && wanted.StatePartitions != there.StatePartitions && wanted.Operators.Length > 0)
            differences.Add($"state lay in {there.StatePartitions} partitions, and StatePartitions asks for {wanted.StatePartitions}: leave it out, or call StreamingCheckpoint.Rescale first");
        if (differences.Count == 0 && there.State is { } before && wanted.State is { } now)
            differences.AddRange(before.Zip(now, StateDescription.Difference).OfType<string>());
        if (differences.Count == 0)
        {
            var isSame = there.Operators.SequenceEqual(wanted.Operators);
            if (isSame && JsonSerializer.Serialize(there.State) == JsonSerializer.Serialize(wanted.State)) return there;
            var agreed = there with { Operators = wanted.Operators, State = wanted.State, Earlier = isSame ? there.Earlier : [.. there.Earlier ?? [], there.Operators] };
            log.Write(numbers[^1] + 1, agreed);
            return agreed;
        }
        throw new StreamingException("CHECKPOINT_OF_OTHER_QUERY", $"The checkpoint '{Folder}' was begun by another query: {string.Join("; ", differences)}. Start the query as it was, or with another folder.");

        void Compare(string what, string[] before, string[] now)
        {
            if (!before.SequenceEqual(now)) differences.Add($"{what} was {Show(before)}, and is now {Show(now)}");
        }

        static string Show(string[] parts) => parts.Length == 0 ? "nothing" : string.Join("; ", parts);
    }

    /// <summary>The metadata; null where there is none yet.</summary>
    /// <exception cref="StreamingException">It is damaged or of another version.</exception>
    public CheckpointMetadata? Metadata()
    {
        var log = new DurableLog(FilePath.Combine(Folder, "metadata"));
        if (log.Numbers() is not [.., var newest]) return null;
        var there = log.Read<CheckpointMetadata>(newest);
        return there.Version == CheckpointMetadata.CurrentVersion ? there : throw new StreamingException(
            "CHECKPOINT_VERSION", $"The checkpoint '{Folder}' is of version {there.Version}, and this version of Dataflow reads version {CheckpointMetadata.CurrentVersion}.");
    }

    /// <summary>The files that make the state after a batch that is done.</summary>
    public string[][][] ChainsOf(CheckpointMetadata metadata, long batch) =>
        metadata.Rescaled is { } rescaled && rescaled.Batch == batch ? rescaled.Chains : Commits.Read<CommitEntry>(batch).Chains;

    /// <summary>The last batch that is done, -1 for none, and the one that was planned and is not done, if there is one.</summary>
    /// <exception cref="StreamingException">An entry is missing.</exception>
    public (long Done, long? Planned) Find(CheckpointMetadata metadata)
    {
        var (offsets, commits) = (Offsets.Numbers(), Commits.Numbers());
        var (last, done) = (offsets is [.., var planned] ? planned : -1, commits is [.., var committed] ? committed : -1);
        if (done > last) throw Offsets.Missing(done);
        if (done < last - 1) throw Commits.Missing(last - 1);
        if (metadata.Rescaled?.Batch > done) throw Commits.Missing(metadata.Rescaled.Batch);
        return (done, last > done ? last : null);
    }

    /// <summary>The folder of an operator's state.</summary>
    public string StateFolder(int @operator) => FilePath.Combine(FilePath.Combine(Folder, "state"), @operator.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>The folder of a source.</summary>
    public string SourceFolder(int source) => FilePath.Combine(FilePath.Combine(Folder, "sources"), source.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Deletes what is not needed any more once a batch is done.</summary>
    public void Clean(long done, string[][][] chains)
    {
        Offsets.DropBelow(done - Kept);
        Commits.DropBelow(done - Kept);
        for (var i = 0; i < chains.Length; i++)
        {
            var needed = chains[i].SelectMany(chain => chain).Select(StateChain.EntryOf).ToHashSet(StringComparer.Ordinal);
            var there = StateOf(i, done, needed);
            foreach (var entry in there.Where(entry => !needed.Contains(entry)).ToArray())
            {
                _system.Delete(FilePath.Combine(StateFolder(i), entry));
                there.Remove(entry);
            }
        }
    }

    // Files of batches that are done. They are looked for now and then, as attempts that were given up may have left some; in between they are known.
    private HashSet<string> StateOf(int @operator, long done, HashSet<string> needed)
    {
        if (done % Kept != 0 && _state.TryGetValue(@operator, out var known))
        {
            known.UnionWith(needed);
            return known;
        }
        IEnumerable<FileEntry> entries = _system.Find(StateFolder(@operator)) is null ? [] : _system.List(StateFolder(@operator));
        return _state[@operator] = [.. entries.Select(entry => FilePath.NameOf(entry.Path)).Where(name => StateChain.BatchOf(name) <= done)];
    }

    public void Dispose()
    {
        _lock?.Dispose();
        if (IsTemporary) _system.Delete(Folder);
    }
}
