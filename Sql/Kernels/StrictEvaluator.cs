using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>
/// Computes a function that is null where an argument is. It takes care of everything around the loop: nulls, constants, and dictionaries, whose
/// values are computed once for all batches that share them.
/// </summary>
/// <remarks>
/// A kernel (<see cref="Compute"/>) meets flat vectors, constants that are not null and, if <see cref="TakesDictionaries"/>, dictionaries; never only
/// constants. It may compute rows that do not count, but must not fail for them.
/// </remarks>
internal abstract unsafe class StrictEvaluator : Evaluator
{
    private readonly Evaluator[] _arguments;
    private readonly ColumnVector[] _given;
    private readonly Flattener?[] _flatteners;
    private readonly ColumnVector _constant;
    private readonly ulong* _live;
    private readonly bool _isFixed;
    private SingleRow? _single;
    private DictionaryResult? _dictionary;
    private FlatVector? _result;
    private TextHeap? _heap;
    private bool _constantKnown;

    protected StrictEvaluator(DataType type, Evaluator[] arguments, EvaluatorContext context, int position)
    {
        Type = type;
        Context = context;
        Position = position;
        _arguments = arguments;
        _given = new ColumnVector[arguments.Length];
        _flatteners = new Flattener?[arguments.Length];
        _constant = new ColumnVector(type) { Form = VectorForm.Constant };
        _live = (ulong*)context.Arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
        _isFixed = arguments.All(argument => argument.IsConstant);
    }

    public override bool IsConstant => _isFixed;

    /// <summary>The type of the results.</summary>
    protected DataType Type { get; }

    protected EvaluatorContext Context { get; }

    /// <summary>Where in the text the call stood.</summary>
    protected int Position { get; }

    /// <summary>Whether the kernel reads dictionaries itself (through <see cref="Operand{T}"/>); else they are made flat.</summary>
    protected virtual bool TakesDictionaries => false;

    /// <summary>Whether the kernel takes decimals of more than 18 digits in 64 bits.</summary>
    protected virtual bool TakesNarrow => false;

    /// <summary>Whether this evaluation may give decimals of more than 18 digits in 64 bits.</summary>
    protected bool MayBeNarrow { get; private set; }

    /// <summary>Where results go. Its validity is prepared: set where no argument is null.</summary>
    protected FlatVector Result => _result ??= new FlatVector(Context.Arena, Type);

    /// <summary>Where text of results goes; empty when a kernel begins.</summary>
    protected TextHeap Heap => _heap ??= new TextHeap(Context.Arena);

    /// <summary>Whether results have nulls: true at the start if arguments have. A kernel that makes nulls of its own calls <see cref="SetNull"/>.</summary>
    protected bool HasNulls { get; private set; }

    /// <summary>Rows of this evaluation.</summary>
    protected int Rows { get; private set; }

    /// <summary>The rows that count and have no null argument; null for all.</summary>
    protected ulong* Live { get; private set; }

    public sealed override ColumnVector Evaluate(ColumnBatch batch) => Run(batch, false);

    public sealed override ColumnVector EvaluateNarrow(ColumnBatch batch) => Run(batch, TakesNarrow);

    /// <summary>Computes rows into <see cref="Result"/> and gives it, set; or gives another vector of the type.</summary>
    protected abstract ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments);

    /// <summary>Makes a row of the result null.</summary>
    protected void SetNull(int row)
    {
        if (!HasNulls)
        {
            HasNulls = true;
            Bits.Fill(Result.Validity, Rows);
        }
        Bits.Clear(Result.Validity, row);
    }

    private ColumnVector Run(ColumnBatch batch, bool narrow)
    {
        MayBeNarrow = narrow;
        if (_constantKnown) return Constant(batch.Rows);
        if (batch.Alive == 0) return Null(batch.Rows);

        int constants = 0, dictionaries = 0, dictionary = -1;
        for (var i = 0; i < _arguments.Length; i++)
        {
            var vector = _given[i] = TakesNarrow ? _arguments[i].EvaluateNarrow(batch) : _arguments[i].Evaluate(batch);
            if (vector.IsNullConstant) return Null(batch.Rows);
            if (vector.Form == VectorForm.Constant) constants++;
            if (vector.Form == VectorForm.Dictionary)
            {
                dictionaries++;
                dictionary = i;
            }
        }
        if (constants == _arguments.Length) return OneForAll(batch);
        if (dictionaries == 1 && constants == _arguments.Length - 1 && ByDictionary(batch, dictionary) is { } coded) return coded;
        for (var i = 0; i < _arguments.Length && !TakesDictionaries; i++)
        {
            if (_given[i].Form == VectorForm.Dictionary) _given[i] = (_flatteners[i] ??= new Flattener(Context.Arena)).Flat(_given[i]);
        }

        Begin(batch.Rows, batch.Mask);
        return Compute(_given);
    }

    // Prepares validity and the rows that count, and empties the heap.
    private void Begin(int rows, ulong* mask)
    {
        Rows = rows;
        HasNulls = false;
        foreach (var vector in _given)
        {
            if (vector.Validity == null || vector.Form == VectorForm.Constant) continue;
            if (!HasNulls) Bits.Copy(Result.Validity, vector.Validity, rows);
            else Bits.And(Result.Validity, vector.Validity, rows);
            HasNulls = true;
        }
        Live = mask;
        if (HasNulls)
        {
            Bits.Copy(_live, Result.Validity, rows);
            Bits.And(_live, mask, rows);
            Live = _live;
        }
        _heap?.Clear();
    }

    private ColumnVector Null(int rows)
    {
        _constant.Validity = (ulong*)NullBit.Address;
        _constant.Data = NullBit.Address;
        _constant.Bounds = null;
        return Constant(rows);
    }

    private ColumnVector Constant(int rows)
    {
        _constant.Length = rows;
        return _constant;
    }

    // All arguments are constants: one row is computed.
    private ColumnVector OneForAll(ColumnBatch batch)
    {
        _single ??= new SingleRow(Context.Arena, _arguments.Length);
        for (var i = 0; i < _given.Length; i++) _given[i] = _single.Of(i, _given[i]);
        MayBeNarrow = false;
        Begin(1, null);
        var value = Compute(_given);
        _constant.Data = value.Data;
        _constant.Validity = value.Validity;
        _constant.Bounds = BoundsOf.Constant(value) is { } known && !value.IsNull(0) ? new ValueBounds(known, known) : null;
        _constantKnown = _isFixed;
        return Constant(batch.Rows);
    }

    // One argument is a dictionary and the others never change: its values are computed once. Null if that does not pay, or fails for a value that
    // perhaps no row has.
    private ColumnVector? ByDictionary(ColumnBatch batch, int argument)
    {
        var vector = _given[argument];
        var values = vector.Dictionary!;
        if (values.Count > DictionaryResult.MostValues || values.Values.Type.Physical == PhysicalType.Bit) return null;
        for (var i = 0; i < _arguments.Length; i++)
        {
            if (i != argument && !_arguments[i].IsConstant) return null;
        }
        _dictionary ??= new DictionaryResult(Context.Arena, Type);
        if (!_dictionary.IsOf(values))
        {
            if (!_dictionary.Pays(values, batch.Alive)) return null;
            MayBeNarrow = false;
            _dictionary.Begin(values);
            try
            {
                for (var first = 0; first < values.Count; first += ColumnBatch.MaxRows)
                {
                    _given[argument] = _dictionary.Slice(first);
                    Begin(_given[argument].Length, null);
                    _dictionary.Add(first, Compute(_given));
                }
            }
            catch (QueryException)
            {
                _dictionary.Refuse();
            }
            _given[argument] = vector;
        }
        return _dictionary.Lookup(vector, batch.Rows);
    }
}

/// <summary>A bit that is zero, for constants that are null; values that are read there are zero too.</summary>
internal static unsafe class NullBit
{
    // Never freed: one for the process.
    public static byte* Address { get; } = (byte*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc(128, 64);

    static NullBit() => new Span<byte>(Address, 128).Clear();
}

/// <summary>Constants as flat vectors of one row, with room behind them that may be read.</summary>
internal sealed unsafe class SingleRow(TaskArena arena, int arguments)
{
    private const int Stride = 128;
    private readonly byte* _memory = arena.Rent(arguments * Stride).Pointer;

    public ColumnVector Of(int argument, ColumnVector constant)
    {
        var at = _memory + (argument * Stride);
        var width = constant.Type.Physical == PhysicalType.Bit ? 8 : constant.Type.ByteWidth;
        new Span<byte>(at, Stride).Clear();
        new ReadOnlySpan<byte>(constant.Data, width).CopyTo(new Span<byte>(at, width));
        return new ColumnVector(constant.Type) { Length = 1, Data = at, Bounds = constant.Bounds };
    }
}
