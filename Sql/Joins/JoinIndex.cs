using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Rows;
using Dataflow.Storage;

namespace Dataflow.Sql.Joins;

/// <summary>
/// Finds rows of a build side by key. It is filled in parts that have no key in common, each by one thread, from the last row to the first: so the rows of
/// a key are chained in their order, whoever filled which part.
/// </summary>
/// <param name="rows">The rows.</param>
/// <param name="keys">The columns of their keys.</param>
/// <param name="arena">Whose memory it takes.</param>
internal abstract unsafe class JoinIndex(BuildRows rows, int[] keys, SharedArena arena)
{
    private readonly Lock _lock = new();
    private NativeBuffer? _next;

    protected BuildRows Rows { get; } = rows;

    protected int[] Keys { get; } = keys;

    protected SharedArena Arena { get; } = arena;

    /// <summary>Whether no key has two rows.</summary>
    public virtual bool IsUnique => _next is null;

    /// <summary>Adds the rows of a part that have a key.</summary>
    /// <param name="part">Which part.</param>
    /// <param name="strict">Positions of the keys that match nothing where they are null.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(int part, int[] strict)
    {
        Begin(part);
        var vectors = Keys.Select(key => new ColumnVector(Rows.TypeOf(key))).ToArray();
        var strictVectors = strict.Select(key => vectors[key]).ToArray();
        var backwards = new ushort[ColumnBatch.MaxRows];
        var valid = new ushort[ColumnBatch.MaxRows];
        for (var chunk = Rows.Chunks - 1; chunk >= 0; chunk--)
        {
            var count = Rows.RowsOf(chunk);
            for (var i = 0; i < count; i++) backwards[i] = (ushort)(count - 1 - i);
            for (var i = 0; i < Keys.Length; i++) Rows.Show(chunk, Keys[i], vectors[i]);
            Add(part, vectors, NotNull.Rows(strictVectors, backwards.AsSpan(0, count), valid), chunk << BuildRows.ChunkBits);
        }
    }

    /// <summary>Finds the first row for each key; -1 where there is none.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="rows">Rows without nulls in their strict keys.</param>
    /// <param name="found">A row number for each.</param>
    public abstract void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found);

    /// <summary>The next row with the same key of each row, -1 for the last; null if no key has two rows, or <see cref="NextOf"/> works it out.</summary>
    public int* Chains => _next is null ? null : (int*)_next.Pointer;

    /// <summary>The next row with the same key, or -1.</summary>
    public virtual int NextOf(int row) => _next is null ? -1 : ((int*)_next.Pointer)[row];

    protected abstract void Begin(int part);

    protected abstract void Add(int part, ColumnVector[] keys, ReadOnlySpan<ushort> rows, int first);

    // Most keys have one row: room for chains is made when the first has two.
    protected void Chain(int row, int next)
    {
        if (_next is null)
        {
            lock (_lock)
            {
                if (_next is null)
                {
                    var bytes = checked(Rows.Numbers * sizeof(int));
                    var buffer = Arena.Rent(bytes);
                    new Span<byte>(buffer.Pointer, bytes).Fill(0xFF);
                    Volatile.Write(ref _next, buffer);
                }
            }
        }
        ((int*)_next.Pointer)[row] = next;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void Prefetch(void* place)
    {
        if (Sse.IsSupported) Sse.Prefetch0(place);
    }
}

/// <summary>Without keys all rows match.</summary>
internal sealed class AllRowsIndex(BuildRows rows, SharedArena arena) : JoinIndex(rows, [], arena)
{
    public override bool IsUnique => false;

    public override void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found) => found[..rows.Length].Fill(NextOf(-1));

    public override int NextOf(int row)
    {
        var next = row + 1;
        var chunk = next >> BuildRows.ChunkBits;
        while (chunk < Rows.Chunks && (next & (ColumnBatch.MaxRows - 1)) >= Rows.RowsOf(chunk)) next = ++chunk << BuildRows.ChunkBits;
        return chunk < Rows.Chunks ? next : -1;
    }

    protected override void Begin(int part) { }

    protected override void Add(int part, ColumnVector[] keys, ReadOnlySpan<ushort> rows, int first) { }
}

/// <summary>Keys of small ranges: an array says where the first row of each is.</summary>
internal sealed unsafe class DenseJoinIndex : JoinIndex
{
    private readonly KeyRange[] _ranges;
    private readonly NativeBuffer _heads;
    private readonly int _places;
    private readonly int _parts;

    public DenseJoinIndex(BuildRows rows, int[] keys, KeyRange[] ranges, int parts, SharedArena arena) : base(rows, keys, arena)
    {
        _ranges = ranges;
        _parts = parts;
        _places = (int)DenseKeyTable.PlacesOf(ranges);

        // The first place is empty for ever: keys outside the ranges look there.
        _heads = arena.Rent(checked((_places + 1) * sizeof(int)));
    }

    public override void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found)
    {
        found = found[..rows.Length];
        DenseKeyTable.Place(keys, rows, _ranges, found);
        var heads = (int*)_heads.Pointer + 1;
        for (var i = 0; i < found.Length; i++) found[i] = heads[found[i]] - 1;
    }

    protected override void Begin(int part)
    {
        var (start, end) = PlacesOf(part);
        var heads = (int*)_heads.Pointer;
        if (part == 0) heads[0] = 0;
        new Span<int>(heads + 1 + start, end - start).Clear();
    }

    protected override void Add(int part, ColumnVector[] keys, ReadOnlySpan<ushort> rows, int first)
    {
        var scratch = KeyScratch.Rent();
        var places = scratch.Places.AsSpan(0, rows.Length);
        DenseKeyTable.Place(keys, rows, _ranges, places);
        var (start, end) = PlacesOf(part);
        var length = (uint)(end - start);
        var heads = (int*)_heads.Pointer + 1;
        for (var i = 0; i < places.Length; i++)
        {
            if ((uint)(places[i] - start) >= length) continue;
            ref var head = ref heads[places[i]];
            var row = first + rows[i];
            if (head != 0) Chain(row, head - 1);
            head = row + 1;
        }
        scratch.Return();
    }

    private (int Start, int End) PlacesOf(int part) => ((int)((long)_places * part / _parts), (int)((long)_places * (part + 1) / _parts));
}
