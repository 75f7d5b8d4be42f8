using System.Buffers;
using System.Runtime.InteropServices;
using Dataflow.Sql.Rows;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>
/// Rows of a state, in memory of their own, and how to find them by key. Rows have numbers, which stay until all is written anew. They are found through an index, which
/// is made when it is worth it: rows that wait for few need none.
/// </summary>
internal sealed unsafe class StateSpan : IDisposable
{
    // All rows may be looked at so often, before an index is made: one costs as much.
    private const long MostScans = 2;

    private readonly StateLayout _layout;
    private readonly TaskArena _arena;
    private readonly RowStore _rows;
    private readonly List<int> _removed = [];
    private readonly List<int> _marked = [];
    private ulong[] _isRemoved = [];
    private ulong[] _isMarked = [];
    private StateIndex? _index;
    private long _scanned;
    private int _before;

    public StateSpan(StateLayout layout, TaskContext context)
    {
        _layout = layout;
        _arena = TaskArena.OfState(context, "stream state");
        _rows = new RowStore(_arena, layout.Types);
    }

    /// <summary>Numbers that were given: rows, and those that were removed since all was written anew.</summary>
    public int Numbers => _rows.Count;

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
    public void Add(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows)
    {
        if (rows.IsEmpty) return;
        _rows.Append(columns, rows);
        if (_isRemoved.Length * 64 >= Numbers) return;
        Array.Resize(ref _isRemoved, Math.Max(_isRemoved.Length * 2, (Numbers + 63) / 64));
        Array.Resize(ref _isMarked, _isRemoved.Length);
        _arena.ChargeObjects(16L * _isRemoved.Length);
    }

    /// <summary>Adds rows whose keys have none.</summary>
    /// <param name="columns">Keys, then values.</param>
    /// <param name="rows">Which rows of them; no two have one key.</param>
    /// <param name="added">Those that were added.</param>
    /// <returns>How many.</returns>
    public int AddNew(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows, Span<ushort> added)
    {
        var found = ArrayPool<int>.Shared.Rent(rows.Length);
        Find(columns[.._layout.Keys.Count], rows, found);
        var count = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            if (found[i] < 0) added[count++] = rows[i];
        }
        ArrayPool<int>.Shared.Return(found);
        Add(columns, added[..count]);
        return count;
    }

    /// <summary>Whether rows of so many keys are found sooner by a look at all that are here (<see cref="ShowKeys"/>) than by <see cref="Find"/>, which would need an index.</summary>
    /// <param name="keys">How many keys are looked for.</param>
    public bool TryScan(int keys)
    {
        if (_layout.Keys.Count == 0 || _index is not null || keys > Numbers || _scanned + Numbers > MostScans * Numbers) return false;
        _scanned += Numbers;
        return true;
    }

    /// <summary>Shows keys of rows, in place.</summary>
    /// <param name="first">The number of the first row; a multiple of 64.</param>
    /// <param name="count">How many.</param>
    /// <param name="keys">Set.</param>
    public void ShowKeys(int first, int count, ReadOnlySpan<ColumnVector> keys)
    {
        for (var i = 0; i < keys.Length; i++) _rows[i].Show(first, count, keys[i]);
    }

    /// <summary>The newest row of each key, -1 where there is none.</summary>
    /// <param name="keys">The key columns of a batch.</param>
    /// <param name="rows">Which of its rows.</param>
    /// <param name="found">For each of these rows.</param>
    public void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found)
    {
        if (_layout.Keys.Count == 0)
        {
            found[..rows.Length].Fill(Alive(Numbers - 1));
            return;
        }
        _index ??= new StateIndex(_rows, _layout.Keys.Count, _arena);
        _index.TakeUp();
        _index.Find(keys, rows, found);
        for (var i = 0; i < rows.Length; i++) found[i] = Alive(found[i]);
    }

    /// <summary>The next older row of the same key as one that was found; -1 if there is none.</summary>
    public int Next(int row) => Alive(OlderOf(row));

    /// <summary>Whether a row is there.</summary>
    public bool Has(int row) => !Bit(_isRemoved, row);

    /// <summary>Whether a row was marked.</summary>
    public bool IsMarked(int row) => Bit(_isMarked, row);

    /// <summary>The time of a row.</summary>
    public long? TimeOf(int row)
    {
        var times = Column(_layout.Time);
        return times.IsNull(row) ? null : ((long*)times.Data)[row];
    }

    /// <summary>A column of the values, by number of the row. It moves when rows are added.</summary>
    public ColumnStore Column(int value) => _rows[_layout.Keys.Count + value];

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
        for (var i = 0; i < columns.Length; i++) _rows[i].Gather(rows, columns[i]);
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

    // With those that the batch added and removed: numbers count.
    private void WriteRows(StateFile.Writer file, int kind, long start, int first, TaskArena arena)
    {
        if (first >= Numbers) return;
        var frames = new FrameBuffer(arena);
        ColumnVector[] shown = [.. _layout.Types.Select(type => new ColumnVector(type))];

        // Bits are shown from whole words on: the rows in front of the first whole one are copied.
        var aligned = Math.Min(Numbers, (first + 63) & ~63);
        if (aligned > first)
        {
            FlatVector[] copied = [.. _layout.Types.Select(type => new FlatVector(arena, type))];
            Gather(Enumerable.Range(first, aligned - first).ToArray(), copied);
            file.Write(kind, start, frames.Of(Array.ConvertAll(copied, vector => vector.Vector), aligned - first));
        }
        for (var row = aligned; row < Numbers; row += ColumnBatch.MaxRows)
        {
            arena.ThrowIfCancelled();
            var count = Math.Min(ColumnBatch.MaxRows, Numbers - row);
            for (var i = 0; i < shown.Length; i++) _rows[i].Show(row, count, shown[i]);
            file.Write(kind, start, frames.Of(shown, count));
        }
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

    private int OlderOf(int row) => _index is null ? row - 1 : _index.OlderOf(row);

    private int Alive(int row)
    {
        while (row >= 0 && Bit(_isRemoved, row)) row = OlderOf(row);
        return row;
    }

    private static bool Bit(ulong[] bits, int row) => (bits[row >> 6] >> (row & 63) & 1) != 0;
}
