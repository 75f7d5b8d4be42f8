using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Rows;

/// <summary>
/// The build side of a join: rows by key. Rows with equal keys are chained in the order they came. Rows whose key has a null match nothing; that there
/// are some is noted.
/// </summary>
/// <remarks>Built by one thread, then read by many.</remarks>
internal sealed unsafe class JoinTable : IDisposable
{
    private readonly TaskArena _arena;
    private readonly KeyTable _table;
    private readonly bool _keepsNullKeys;
    private readonly ushort[] _valid = new ushort[ColumnBatch.MaxRows];
    private readonly int[] _numbers = new int[ColumnBatch.MaxRows];
    private NativeBuffer _next;
    private NativeBuffer _heads;
    private NativeBuffer _tails;
    private int _nextCapacity = 1024;
    private int _headCapacity = 1024;
    private int _known;
    private int _chained;

    /// <param name="arena">Its memory; ends with the table.</param>
    /// <param name="keys">Types of the keys.</param>
    /// <param name="columns">Types of the columns that are kept.</param>
    /// <param name="keepsNullKeys">Whether rows with null keys are kept, without a chain: for joins that give rows without match.</param>
    /// <param name="layout">How keys of known ranges lie; null if none are known.</param>
    public JoinTable(TaskArena arena, IReadOnlyList<DataType> keys, IEnumerable<DataType> columns, bool keepsNullKeys, KeyLayout? layout = null)
    {
        _arena = arena;
        _keepsNullKeys = keepsNullKeys;
        _table = KeyTable.For(arena, keys, layout);
        Rows = new RowStore(arena, columns);
        _next = arena.Rent(_nextCapacity * sizeof(int));
        _heads = arena.Rent(_headCapacity * sizeof(int));
        _tails = arena.Rent(_headCapacity * sizeof(int));
    }

    /// <summary>The rows.</summary>
    public RowStore Rows { get; }

    /// <summary>Whether no key has two rows.</summary>
    public bool IsUnique => _table.Count == _chained;

    /// <summary>Whether a row had a key with a null.</summary>
    public bool HasNullKey { get; private set; }

    /// <summary>Rows that came, with or without nulls in their keys.</summary>
    public long Seen { get; private set; }

    /// <summary>Bytes held.</summary>
    public long Bytes => _arena.Bytes;

    /// <summary>Adds the rows of a batch that count.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="strict">Those of them that match nothing where they are null; nulls of the others are equal.</param>
    /// <param name="columns">The columns to keep.</param>
    /// <param name="rows">Which rows.</param>
    public void Add(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ColumnVector> strict, ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows)
    {
        Seen += rows.Length;
        var valid = NotNull.Rows(strict, rows, _valid);
        if (valid.Length < rows.Length)
        {
            HasNullKey = true;
            if (_keepsNullKeys) AddWithoutKey(strict, columns, rows);
        }
        var numbers = _numbers.AsSpan(0, valid.Length);
        _table.FindOrAdd(keys, valid, numbers);
        var known = _known;
        var first = Rows.Count;
        Rows.Append(columns, valid);
        Reserve(ref _next, ref _nextCapacity, Rows.Count, first);
        if (_table.Count > _headCapacity)
        {
            var capacity = _headCapacity;
            Reserve(ref _heads, ref capacity, _table.Count, known);
            Reserve(ref _tails, ref _headCapacity, _table.Count, known);
        }
        var next = (int*)_next.Pointer;
        var heads = (int*)_heads.Pointer;
        var tails = (int*)_tails.Pointer;
        for (var i = 0; i < numbers.Length; i++)
        {
            var row = first + i;
            next[row] = -1;
            if (numbers[i] >= known)
            {
                // Numbers are given in order: the first row of a new key comes when its number is the next.
                heads[numbers[i]] = row;
                known = numbers[i] + 1;
            }
            else
            {
                next[tails[numbers[i]]] = row;
            }
            tails[numbers[i]] = row;
        }
        _known = known;
        _chained += numbers.Length;
    }

    /// <summary>Finds the first row for each key; -1 where there is none.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="rows">Rows without nulls in their strict keys.</param>
    /// <param name="found">A row number for each.</param>
    public void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found)
    {
        _table.Find(keys, rows, found);

        // Each row has a key of its own: numbers of keys are those of rows.
        if (IsUnique && !_keepsNullKeys) return;
        var heads = (int*)_heads.Pointer;
        for (var i = 0; i < rows.Length; i++)
        {
            if (found[i] >= 0) found[i] = heads[found[i]];
        }
    }

    /// <summary>The next row with the same key, or -1.</summary>
    public int NextOf(int row) => ((int*)_next.Pointer)[row];

    public void Dispose() => _arena.Dispose();

    private void AddWithoutKey(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows)
    {
        var nulls = new List<ushort>();
        foreach (var row in rows)
        {
            foreach (var key in keys)
            {
                if (!key.IsNull(row)) continue;
                nulls.Add(row);
                break;
            }
        }
        var first = Rows.Count;
        Rows.Append(columns, nulls.ToArray());
        Reserve(ref _next, ref _nextCapacity, Rows.Count, first);
        for (var row = first; row < Rows.Count; row++) ((int*)_next.Pointer)[row] = -1;
    }

    private void Reserve(ref NativeBuffer buffer, ref int capacity, int needed, int used)
    {
        if (needed <= capacity) return;
        var grown = Math.Max(needed, checked(capacity * 2));
        var next = _arena.Rent(checked(grown * sizeof(int)));
        Buffer.MemoryCopy(buffer.Pointer, next.Pointer, next.Length, (long)used * sizeof(int));
        _arena.Return(buffer);
        buffer = next;
        capacity = grown;
    }
}

/// <summary>Leaves out rows with nulls.</summary>
internal static class NotNull
{
    /// <summary>The rows for which no key is null.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="rows">Rows to look at.</param>
    /// <param name="space">Where the result goes, if some are left out.</param>
    public static ReadOnlySpan<ushort> Rows(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, ushort[] space)
    {
        foreach (var key in keys)
        {
            if (key.HasNoNulls) continue;
            var count = 0;
            for (var i = 0; i < rows.Length; i++)
            {
                // In place from the second key on: what is written lies before what is read.
                if (!key.IsNull(rows[i])) space[count++] = rows[i];
            }
            rows = space.AsSpan(0, count);
        }
        return rows;
    }
}
