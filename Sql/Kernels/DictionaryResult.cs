using Dataflow.Storage;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>
/// What a function gives for the values of a dictionary, kept as long as batches share it. Rows then only look their code up: bits become a mask, and
/// anything else a dictionary with the same codes.
/// </summary>
internal sealed unsafe class DictionaryResult(TaskArena arena, DataType type)
{
    /// <summary>Larger dictionaries may hold many values that no row of interest has.</summary>
    public const int MostValues = 1 << 15;

    private const int Short = 512;

    private readonly TextHeap? _heap = type.Physical == PhysicalType.View ? new TextHeap(arena) : null;
    private readonly ColumnVector _coded = new(type) { Form = VectorForm.Dictionary };
    private ColumnDictionary? _of;
    private ColumnDictionary? _met;
    private long _rowsMet;
    private ColumnDictionary? _results;
    private ColumnVector? _slice;
    private NativeBuffer? _values;
    private NativeBuffer? _validity;
    private FlatVector? _flat;
    private int _capacity;
    private bool _hasNulls;
    private bool _isRefused;

    /// <summary>Whether so many rows were met that computing all values costs less: few rows of a long dictionary are computed one by one.</summary>
    public bool Pays(ColumnDictionary dictionary, int rows)
    {
        if (!ReferenceEquals(_met, dictionary)) (_met, _rowsMet) = (dictionary, 0);
        _rowsMet += rows;
        return dictionary.Count <= Short || _rowsMet >= dictionary.Count / 2;
    }

    public bool IsOf(ColumnDictionary dictionary) => ReferenceEquals(_of, dictionary);

    public void Begin(ColumnDictionary dictionary)
    {
        _of = dictionary;
        _isRefused = false;
        _hasNulls = false;
        _heap?.Clear();
        if (_capacity < dictionary.Count || _values is null)
        {
            if (_values is not null) arena.Return(_values);
            if (_validity is not null) arena.Return(_validity);
            _capacity = Math.Max(dictionary.Count, Flattener.ShortTable);
            _values = arena.Rent(type.Physical == PhysicalType.Bit ? Bits.Words(_capacity) * 8 : _capacity * type.ByteWidth);
            _validity = arena.Rent(Bits.Words(_capacity) * 8);
        }
        Bits.Fill((ulong*)_validity!.Pointer, dictionary.Count);
        _results = new ColumnDictionary(new ColumnVector(type) { Length = dictionary.Count, Data = _values.Pointer });
    }

    /// <summary>Some values of the dictionary, as a flat vector.</summary>
    public ColumnVector Slice(int first)
    {
        var values = _of!.Values;
        if (_slice is null || _slice.Type != values.Type) _slice = new ColumnVector(values.Type);
        _slice.Length = Math.Min(ColumnBatch.MaxRows, values.Length - first);
        _slice.Data = values.Data + ((nint)first * values.Type.ByteWidth);
        _slice.Bounds = values.Bounds;
        return _slice;
    }

    /// <summary>Keeps what was computed of a slice.</summary>
    public void Add(int first, ColumnVector result)
    {
        var count = result.Length;
        if (result.Validity != null)
        {
            _hasNulls = true;
            if (result.Form == VectorForm.Constant) Bits.Zero((ulong*)_validity!.Pointer + (first >> 6), count);
            else Bits.Copy((ulong*)_validity!.Pointer + (first >> 6), result.Validity, count);
        }
        if (type.Physical == PhysicalType.Bit)
        {
            Bits.Copy((ulong*)_values!.Pointer + (first >> 6), (ulong*)result.Data, count);
        }
        else if (_heap is null)
        {
            var width = type.ByteWidth;
            new ReadOnlySpan<byte>(result.Data, count * width).CopyTo(new Span<byte>(_values!.Pointer + ((nint)first * width), count * width));
        }
        else
        {
            var to = (StringView*)_values!.Pointer + first;
            for (var i = 0; i < count; i++) to[i] = result.IsNull(i) ? default : _heap.Add(StringView.BytesOf((StringView*)result.ValueAt(i)));
        }
        _results!.Values.Bounds = first == 0 ? result.Bounds : null;
    }

    /// <summary>Some value can't be computed: rows are computed one by one, for perhaps none has it.</summary>
    public void Refuse() => _isRefused = true;

    /// <summary>The results of rows; null if the dictionary was refused.</summary>
    public ColumnVector? Lookup(ColumnVector coded, int rows)
    {
        if (_isRefused) return null;
        if (type.Physical == PhysicalType.Bit || _hasNulls) _flat ??= new FlatVector(arena, DataType.Boolean);
        var validity = coded.Validity;
        if (_hasNulls)
        {
            Flattener.GatherBits((ulong*)_validity!.Pointer, _results!.Count, coded.Codes, _flat!.Validity, rows);
            Bits.And(_flat.Validity, validity, rows);
            validity = _flat.Validity;
        }
        _coded.Length = rows;
        _coded.Validity = validity;
        if (type.Physical == PhysicalType.Bit)
        {
            Flattener.GatherBits((ulong*)_values!.Pointer, _results!.Count, coded.Codes, (ulong*)_flat!.Data, rows);
            _coded.Form = VectorForm.Flat;
            _coded.Data = _flat.Data;
            return _coded;
        }
        _coded.Codes = coded.Codes;
        _coded.Dictionary = _results;
        _coded.Bounds = _results!.Values.Bounds;
        return _coded;
    }
}
