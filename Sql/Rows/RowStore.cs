using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Rows;

/// <summary>Rows that an operator keeps, by column.</summary>
internal sealed class RowStore
{
    private readonly ColumnStore[] _columns;
    private ColumnVector[]? _shown;

    public RowStore(TaskArena arena, IEnumerable<DataType> types) => _columns = [.. types.Select(type => new ColumnStore(arena, type))];

    public RowStore(TaskArena arena, ValueList<ColumnReference> columns) : this(arena, columns.Select(column => column.Type)) { }

    public ColumnStore this[int column] => _columns[column];

    public int ColumnCount => _columns.Length;

    public int Count { get; private set; }

    /// <summary>Bytes of text beside the values of fixed width.</summary>
    public long TextBytes
    {
        get
        {
            var bytes = 0L;
            foreach (var column in _columns) bytes += column.TextBytes;
            return bytes;
        }
    }

    /// <summary>All rows as flat vectors, in place, until rows are added. Theirs are the same objects at each call.</summary>
    public ColumnVector[] Show()
    {
        _shown ??= Array.ConvertAll(_columns, column => new ColumnVector(column.Type));
        for (var i = 0; i < _columns.Length; i++) _columns[i].Show(0, Count, _shown[i]);
        return _shown;
    }

    /// <summary>Takes memory for so many rows at once.</summary>
    public void Reserve(int rows)
    {
        foreach (var column in _columns) column.Reserve(rows);
    }

    /// <summary>Adds the rows of a batch that count.</summary>
    public void Append(ColumnBatch batch) => Append(batch.Columns, batch.Selection);

    /// <summary>Adds rows of some vectors.</summary>
    public void Append(ReadOnlySpan<ColumnVector> vectors, ReadOnlySpan<ushort> rows)
    {
        for (var i = 0; i < _columns.Length; i++) _columns[i].Append(vectors[i], rows);
        Count += rows.Length;
    }

    /// <summary>Forgets the first rows; those behind them move to the front.</summary>
    public void DropFirst(int rows)
    {
        foreach (var column in _columns) column.DropFirst(rows);
        Count -= rows;
    }

    /// <summary>Gives all memory back.</summary>
    public void Return()
    {
        foreach (var column in _columns) column.Return();
        Count = 0;
    }

    /// <summary>Forgets all rows; memory is kept.</summary>
    public void Clear()
    {
        foreach (var column in _columns) column.Clear();
        Count = 0;
    }
}

/// <summary>Gives rows of a store as batches.</summary>
internal sealed unsafe class RowGatherer
{
    private readonly FlatVector[] _vectors;

    public RowGatherer(TaskArena arena, IEnumerable<DataType> types)
    {
        _vectors = [.. types.Select(type => new FlatVector(arena, type))];
        Batch = new ColumnBatch([.. _vectors.Select(vector => vector.Vector)]);
    }

    /// <summary>The batch that <see cref="Gather"/> fills.</summary>
    public ColumnBatch Batch { get; }

    /// <summary>Gives its memory back.</summary>
    public void Return(TaskArena arena)
    {
        foreach (var vector in _vectors) vector.Return(arena);
    }

    /// <summary>Fills the batch with rows of a store.</summary>
    /// <param name="store">The store, with columns of the same types.</param>
    /// <param name="rows">At most <see cref="ColumnBatch.MaxRows"/> row numbers.</param>
    public ColumnBatch Gather(RowStore store, ReadOnlySpan<int> rows)
    {
        for (var i = 0; i < _vectors.Length; i++) store[i].Gather(rows, _vectors[i]);
        Batch.Set(rows.Length);
        return Batch;
    }
}
