using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Joins;

/// <summary>What a join's build side is made into.</summary>
/// <param name="Types">Types of its columns.</param>
/// <param name="Keys">Which of them are keys.</param>
/// <param name="Strict">Positions of the keys that match nothing where they are null; nulls of the others are equal.</param>
/// <param name="Filtered">Positions of the keys by which the other side's scan leaves rows out.</param>
internal sealed record JoinTableLayout(DataType[] Types, int[] Keys, int[] Strict, int[] Filtered);

/// <summary>
/// The build side of a join: rows, and how to find them by key. Rows whose key has a null match nothing; that there are some is noted.
/// </summary>
/// <remarks>
/// Made in steps that all tasks of an executor which need it do together (<see cref="Build"/>): rows are laid out where they came to lie; then, when the
/// ranges of their keys are known, found places for. Then it is only read.
/// </remarks>
internal sealed unsafe class JoinTable : IDisposable
{
    // Smaller tables are made by one thread sooner than by several.
    private const int RowsOfPart = 32 << 10;

    private readonly JoinTableLayout _layout;
    private readonly SharedArena _arena;
    private readonly IReadOnlyList<BuildFrame> _frames;
    private readonly SharedWork _reading;
    private readonly SharedWork _planning;
    private readonly KeyRange?[,] _ranges;
    private readonly KeySet?[] _sets;
    private SharedWork _filling = null!;
    private JoinIndex _index = null!;
    private volatile bool _hasNullKey;

    /// <param name="frames">Frames of rows; their leases end with the table.</param>
    /// <param name="layout">What to make of them.</param>
    /// <param name="arena">Its memory; ends with the table.</param>
    /// <param name="parts">In how many parts to make it, if it is large.</param>
    public JoinTable(IReadOnlyList<BuildFrame> frames, JoinTableLayout layout, TaskArena arena, int parts)
    {
        _frames = frames;
        _layout = layout;
        _arena = new SharedArena(arena);
        _ranges = new KeyRange?[frames.Count, layout.Keys.Length];
        _sets = new KeySet?[layout.Keys.Length];
        Rows = new BuildRows(layout.Types, frames.Count);
        _reading = new SharedWork(frames.Count, Read);
        _planning = new SharedWork(1, _ => Plan(parts));
    }

    /// <summary>The rows.</summary>
    public BuildRows Rows { get; }

    /// <summary>Whether no key has two rows.</summary>
    public bool IsUnique => _index.IsUnique;

    /// <summary>Whether a row had a key with a null.</summary>
    public bool HasNullKey => _hasNullKey;

    /// <summary>Rows that came, with or without nulls in their keys.</summary>
    public long Seen { get; private set; }

    /// <summary>Makes it, together with whoever else comes. What fails for one fails for all.</summary>
    public void Build(CancellationToken cancellation)
    {
        _reading.Help(cancellation);
        _planning.Help(cancellation);
        _filling.Help(cancellation);
    }

    /// <summary>The values that a key has; null if they were not asked for, or are not worth a look.</summary>
    public KeySet? SetOf(int key) => _sets[key];

    /// <inheritdoc cref="JoinIndex.Find"/>
    public void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found) => _index.Find(keys, rows, found);

    /// <inheritdoc cref="JoinIndex.Chains"/>
    public int* Chains => _index.Chains;

    /// <inheritdoc cref="JoinIndex.NextOf"/>
    public int NextOf(int row) => _index.NextOf(row);

    public void Dispose()
    {
        foreach (var frame in _frames) frame.Lease?.Dispose();
        _arena.Dispose();
    }

    private void Read(int chunk)
    {
        var reader = FrameReader.Keeping(_layout.Types, rows => (nint)_arena.Rent(Math.Max(1, rows) * sizeof(StringView)).Pointer);
        var batch = reader.Read(_frames[chunk].Span);
        Rows.Set(chunk, batch.Columns, batch.Rows);
        for (var i = 0; i < _layout.Keys.Length; i++) _ranges[chunk, i] = KeyRange.Of(batch.Columns[_layout.Keys[i]], batch.Rows);
        foreach (var key in _layout.Strict)
        {
            if (NotNull.HasNulls(batch.Columns[_layout.Keys[key]], batch.Rows)) _hasNullKey = true;
        }
    }

    private void Plan(int parts)
    {
        Seen = Rows.Count;
        parts = (int)Math.Clamp(Seen / RowsOfPart, 1, parts);
        _index = Choose(parts);
        _filling = new SharedWork(parts + _layout.Filtered.Length, part =>
        {
            if (part < parts) _index.Fill(part, _layout.Strict);
            else _sets[_layout.Filtered[part - parts]] = KeySet.Of(Rows, _layout.Keys[_layout.Filtered[part - parts]], RangeOf(_layout.Filtered[part - parts]), _arena);
        });
    }

    private JoinIndex Choose(int parts)
    {
        var keys = _layout.Keys;
        if (keys.Length == 0) return new AllRowsIndex(Rows, _arena);
        var types = keys.Select(key => _layout.Types[key]).ToArray();
        if (_layout.Strict.Length < keys.Length) return new GeneralJoinIndex(Rows, keys, parts, _arena);
        var ranges = Enumerable.Range(0, keys.Length).Select(RangeOf).ToArray();
        var known = ranges.All(range => range is not null) ? KeyLayout.Of(ranges.Select(range => range!.Value).ToArray(), Seen) : null;
        if (known is { IsDense: true }) return new DenseJoinIndex(Rows, keys, known.Ranges, parts, _arena);
        if (known is not null) return new PackedJoinIndex(Rows, keys, new KeyPacker(types, known.Ranges), parts, _arena);
        return KeyPacker.Fits(types) ? new PackedJoinIndex(Rows, keys, new KeyPacker(types), parts, _arena) : new GeneralJoinIndex(Rows, keys, parts, _arena);
    }

    // From the smallest to the largest value of a key; null if it is of no whole numbers.
    private KeyRange? RangeOf(int key)
    {
        if (!KeyRange.IsFor(_layout.Types[_layout.Keys[key]])) return null;
        KeyRange? all = null;
        for (var chunk = 0; chunk < _frames.Count; chunk++)
        {
            if (_ranges[chunk, key] is { } range) all = all is { } known ? known.With(range) : range;
        }
        return all ?? new KeyRange(0, 0);
    }
}
