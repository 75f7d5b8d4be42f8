using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Records;

/// <summary>Writes one member of records into a vector. One a column and task.</summary>
/// <typeparam name="T">The type of the records.</typeparam>
internal abstract class RecordColumn<T>(DataType type)
{
    /// <summary>The type of the column.</summary>
    public DataType Type => type;

    /// <summary>The vector, as it was last written.</summary>
    public abstract ColumnVector Vector { get; }

    /// <summary>Takes memory.</summary>
    public abstract void Open(TaskArena arena);

    /// <summary>Forgets all rows.</summary>
    public abstract void Clear();

    /// <summary>Writes rows behind those that are there.</summary>
    public abstract void Append(ReadOnlySpan<T> records);
}

/// <summary>Writes one member of records into a vector.</summary>
/// <typeparam name="T">The type of the records.</typeparam>
/// <typeparam name="V">The type of the member.</typeparam>
internal sealed unsafe class RecordColumn<T, V> : RecordColumn<T>
{
    private readonly Func<T, V> _get;
    private readonly ValueWriter<V> _writer = ValueWriter<V>.Make();
    private V[] _values = [];
    private readonly Action<int> _setNull;
    private FlatVector? _vector;
    private TextHeap? _heap;
    private int _rows;
    private bool _hasNulls;

    public RecordColumn(DataType type, Func<T, V> get) : base(type)
    {
        _get = get;
        _setNull = SetNull;
    }

    public override ColumnVector Vector => _vector!.Vector;

    public override void Open(TaskArena arena)
    {
        _vector = new FlatVector(arena, Type);
        _heap = new TextHeap(arena);
    }

    public override void Clear()
    {
        _rows = 0;
        _hasNulls = false;
        _heap!.Clear();
    }

    public override void Append(ReadOnlySpan<T> records)
    {
        if (_values.Length < records.Length) _values = new V[Math.Min(ColumnBatch.MaxRows, Math.Max(records.Length, _values.Length * 2))];
        var get = _get;
        var values = _values;
        for (var i = 0; i < records.Length; i++) values[i] = get(records[i]);
        _writer.Write(values.AsSpan(0, records.Length), _rows, _vector!.Data, _heap!, _setNull);
        _rows += records.Length;
        _vector.Set(_rows, _hasNulls);
    }

    private void SetNull(int row)
    {
        if (!_hasNulls)
        {
            _hasNulls = true;
            Bits.Fill(_vector!.Validity, ColumnBatch.MaxRows);
        }
        Bits.Clear(_vector!.Validity, row);
    }
}
