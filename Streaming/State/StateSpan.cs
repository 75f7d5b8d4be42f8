using System.Runtime.InteropServices;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>Rows of a state, in memory of their own, and how to find them by key. Rows have numbers, which stay until all is written anew.</summary>
internal sealed unsafe class StateSpan : IDisposable
{
    private const int None = -1;
    private const int Coming = -2;

    private readonly StateLayout _layout;
    private readonly TaskArena _arena;
    private readonly KeyTable? _keys;
    private readonly RowStore _values;
    private readonly List<int> _newest = [];
    private readonly List<int> _older = [];
    private readonly List<int> _keyOf = [];
    private readonly List<int> _removed = [];
    private readonly List<int> _marked = [];
    private readonly int[] _numbers = new int[ColumnBatch.MaxRows];
    private ulong[] _isRemoved = new ulong[16];
    private ulong[] _isMarked = new ulong[16];
    private int _before;

    public StateSpan(StateLayout layout, TaskContext context)
    {
        _layout = layout;
        _arena = TaskArena.OfState(context, "stream state");
        _keys = layout.Keys.Count == 0 ? null : KeyTable.For(_arena, layout.Keys);
        _values = new RowStore(_arena, layout.Values);
        if (_keys is null) _newest.Add(-1);
    }

    /// <summary>Numbers that were given: rows, and those that were removed since all was written anew.</summary>
    public int Numbers { get; private set; }

    /// <summary>Rows that were removed and still have numbers.</summary>
    public int Removed { get; private set; }

    /// <summary>Rows.</summary>
    public int Count => Numbers - Removed;

    /// <summary>Whether the batch has added, marked or removed a row.</summary>
    public bool HasChanged => _before < Numbers || _removed.Count > 0 || _marked.Count > 0;

    /// <summary>Begins a batch.</summary>
    public void Begin()
    {
        _before = Numbers;
        _removed.Clear();
        _marked.Clear();
    }

    /// <summary>Adds rows; they get the next numbers.</summary>
    /// <param name="columns">Keys, then values.</param>
    /// <param name="rows">Which rows of them.</param>
    public void Add(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows) => Append(columns, rows, NumberKeys(columns, rows));

    /// <summary>Adds rows whose keys have none: of several with one key the first.</summary>
    /// <param name="columns">Keys, then values.</param>
    /// <param name="rows">Which rows of them.</param>
    /// <param name="added">Those that were added.</param>
    /// <returns>How many.</returns>
    public int AddNew(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows, Span<ushort> added)
    {
        var numbers = NumberKeys(columns, rows);
        var newest = CollectionsMarshal.AsSpan(_newest);
        var count = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            // A row that comes is noted as one that is there, until it gets its number.
            if (Alive(newest[numbers[i]]) != None) continue;
            newest[numbers[i]] = Coming;
            numbers[count] = numbers[i];
            added[count++] = rows[i];
        }
        for (var i = 0; i < count; i++) newest[numbers[i]] = None;
        Append(columns, added[..count], numbers[..count]);
        return count;
    }

    /// <summary>The newest row of each key, -1 where there is none.</summary>
    /// <param name="keys">The key columns of a batch.</param>
    /// <param name="rows">Which of its rows.</param>
    /// <param name="found">For each of these rows; may have been removed: <see cref="Next"/> goes on.</param>
    public void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found)
    {
        if (_keys is null) found[..rows.Length].Clear();
        else _keys.Find(keys, rows, found);
        for (var i = 0; i < rows.Length; i++) found[i] = found[i] < 0 ? -1 : Alive(_newest[found[i]]);
    }

    /// <summary>The next older row of the same key; -1 if there is none.</summary>
    public int Next(int row) => Alive(_older[row]);

    /// <summary>Whether a row is there.</summary>
    public bool Has(int row) => !Bit(_isRemoved, row);

    /// <summary>Whether a row was marked.</summary>
    public bool IsMarked(int row) => Bit(_isMarked, row);

    /// <summary>The time of a row.</summary>
    public long? TimeOf(int row)
    {
        var times = _values[_layout.Time];
        return times.IsNull(row) ? null : ((long*)times.Data)[row];
    }

    /// <summary>A column of the values, by number of the row. It moves when rows are added.</summary>
    public ColumnStore Column(int value) => _values[value];

    /// <summary>Forgets a row.</summary>
    public void Remove(int row)
    {
        _isRemoved[row >> 6] |= 1UL << (row & 63);
        Removed++;
        _removed.Add(row);
    }

    /// <summary>Forgets rows.</summary>
    public void Remove(ReadOnlySpan<int> rows)
    {
        foreach (var row in rows) Remove(row);
    }

    /// <summary>Marks a row.</summary>
    public void Mark(int row)
    {
        if (IsMarked(row)) return;
        _isMarked[row >> 6] |= 1UL << (row & 63);
        _marked.Add(row);
    }

    /// <summary>Marks rows.</summary>
    public void Mark(ReadOnlySpan<int> rows)
    {
        foreach (var row in rows) Mark(row);
    }

    /// <summary>Copies rows into vectors. Text is pointed at, and stays until the span is changed.</summary>
    /// <param name="rows">At most <see cref="ColumnBatch.MaxRows"/> rows.</param>
    /// <param name="columns">Keys and values.</param>
    public void Gather(ReadOnlySpan<int> rows, ReadOnlySpan<FlatVector> columns)
    {
        var numbers = _numbers.AsSpan(0, rows.Length);
        for (var i = 0; i < rows.Length; i++) numbers[i] = rows[i] < 0 ? -1 : _keyOf[rows[i]];
        var keys = _layout.Keys.Count;
        for (var i = 0; i < keys; i++) _keys!.Keys[i].Gather(numbers, columns[i]);
        for (var i = keys; i < columns.Length; i++) _values[i - keys].Gather(rows, columns[i]);
    }

    /// <summary>Writes what the batch changed, or all.</summary>
    /// <param name="file">The file.</param>
    /// <param name="first">What kinds of records begin at.</param>
    /// <param name="start">When the span begins.</param>
    /// <param name="all">Whether everything is written.</param>
    /// <param name="arena">Memory for the while.</param>
    public void Write(StateFile.Writer file, int first, long start, bool all, TaskArena arena)
    {
        WriteRows(file, first + StateFile.Rows, start, all ? 0 : _before, arena);
        if (!all && _removed.Count > 0) file.Write(first + StateFile.Removed, start, MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_removed)));
        var marked = all ? Enumerable.Range(0, Numbers).Where(IsMarked).ToList() : _marked;
        if (marked.Count > 0) file.Write(first + StateFile.Marked, start, MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(marked)));
    }

    /// <summary>Moves the rows that are there into a new span, in order.</summary>
    public StateSpan Compact(StateSpan to, TaskArena arena)
    {
        var marks = new List<int>();
        foreach (var (batch, rows) in Batches(0, arena, onlyThere: true))
        {
            for (var i = 0; i < rows.Length; i++)
            {
                if (IsMarked(rows[i])) marks.Add(to.Numbers + i);
            }
            to.Add(batch.Columns, batch.Selection);
        }
        to.Mark(CollectionsMarshal.AsSpan(marks));
        return to;
    }

    public void Dispose() => _arena.Dispose();

    private void WriteRows(StateFile.Writer file, int kind, long start, int first, TaskArena arena)
    {
        var store = new RowStore(arena, _layout.Types);

        // With those that the batch added and removed: numbers count.
        foreach (var (batch, _) in Batches(first, arena, onlyThere: false))
        {
            arena.ThrowIfCancelled();
            store.Append(batch);
            var frame = new byte[Frame.SizeOf(store)];
            fixed (byte* bytes = frame) Frame.Write(store, bytes);
            file.Write(kind, start, frame);
            store.Clear();
        }
        store.Return();
    }

    /// <summary>Its rows, in order.</summary>
    /// <param name="first">The number to begin at.</param>
    /// <param name="arena">Memory for the while.</param>
    /// <param name="onlyThere">Whether rows that were removed are left out.</param>
    /// <returns>Keys and values, lent until the next; and the numbers of the rows.</returns>
    public IEnumerable<(ColumnBatch Batch, int[] Rows)> Batches(int first, TaskArena arena, bool onlyThere)
    {
        if (first >= Numbers) yield break;
        FlatVector[] vectors = [.. _layout.Types.Select(type => new FlatVector(arena, type))];
        var batch = new ColumnBatch([.. vectors.Select(vector => vector.Vector)]);
        for (var next = first; next < Numbers;)
        {
            var rows = new List<int>(ColumnBatch.MaxRows);
            for (; next < Numbers && rows.Count < ColumnBatch.MaxRows; next++)
            {
                if (!onlyThere || Has(next)) rows.Add(next);
            }
            var numbers = rows.ToArray();
            Gather(numbers, vectors);
            batch.Set(numbers.Length);
            if (numbers.Length > 0) yield return (batch, numbers);
        }
        foreach (var vector in vectors) vector.Return(arena);
    }

    private Span<int> NumberKeys(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows)
    {
        var numbers = _numbers.AsSpan(0, rows.Length);
        if (_keys is null)
        {
            numbers.Clear();
            return numbers;
        }
        _keys.FindOrAdd(columns[.._layout.Keys.Count], rows, numbers);
        var had = _newest.Count;
        CollectionsMarshal.SetCount(_newest, _keys.Count);
        CollectionsMarshal.AsSpan(_newest)[had..].Fill(None);
        return numbers;
    }

    private void Append(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> keys)
    {
        if (rows.IsEmpty) return;
        _values.Append(columns[_layout.Keys.Count..], rows);
        var newest = CollectionsMarshal.AsSpan(_newest);
        foreach (var key in keys)
        {
            _older.Add(newest[key]);
            _keyOf.Add(key);
            newest[key] = Numbers++;
        }
        Reserve(ref _isRemoved);
        Reserve(ref _isMarked);
        _arena.ChargeObjects((8L * Numbers) + (4L * _newest.Count) + (Numbers / 4));
    }

    private int Alive(int row)
    {
        while (row >= 0 && Bit(_isRemoved, row)) row = _older[row];
        return row;
    }

    private static bool Bit(ulong[] bits, int row) => (bits[row >> 6] >> (row & 63) & 1) != 0;

    private void Reserve(ref ulong[] bits)
    {
        if (bits.Length * 64 < Numbers) Array.Resize(ref bits, Math.Max(bits.Length * 2, (Numbers + 63) / 64));
    }
}
