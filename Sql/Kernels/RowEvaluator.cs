using System.Numerics;
using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>What a function does for one row: reads its arguments from the row and returns a value to it.</summary>
internal delegate void RowKernel(RowEvaluator row);

/// <summary>
/// Computes a function a row at a time: for functions whose work is more than a call. Arguments that are null make the result null before the kernel
/// is asked.
/// </summary>
internal sealed unsafe class RowEvaluator(RowKernel kernel, DataType type, Evaluator[] arguments, EvaluatorContext context, int position)
    : StrictEvaluator(type, arguments, context, position)
{
    private const int MostBytes = 1 << 30;

    private readonly Source[] _sources = new Source[arguments.Length];
    private Zone? _zone;
    private byte* _room;
    private int _row;

    /// <summary>How many arguments the call has.</summary>
    public int Count => _sources.Length;

    /// <summary>Settings of the session.</summary>
    public SessionSettings Session => Context.Session;

    /// <summary>The zone of the session.</summary>
    public Zone Zone => _zone ??= Zone.Of(Context);

    /// <summary>What a kernel keeps from row to row: a pattern that was compiled, a zone that was found.</summary>
    public object? State { get; set; }

    protected override bool TakesDictionaries => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Text(int argument) => StringView.BytesOf((StringView*)At(argument, sizeof(StringView)));

    public T Value<T>(int argument) where T : unmanaged => *(T*)At(argument, sizeof(T));

    public int Int(int argument) => *(int*)At(argument, sizeof(int));

    public long Long(int argument) => *(long*)At(argument, sizeof(long));

    public double Double(int argument) => *(double*)At(argument, sizeof(double));

    public bool Bool(int argument)
    {
        ref var source = ref _sources[argument];
        var at = source.Codes != null ? (int)source.Codes[_row] : _row * source.Step;
        return Bits.Get((ulong*)source.Data, at);
    }

    /// <summary>Whether an argument is the same for all rows: a pattern need not be compiled again.</summary>
    public bool IsSame(int argument) => _sources[argument].Step == 0;

    public void Return(ReadOnlySpan<byte> text) => ((StringView*)Result.Data)[_row] = Heap.Add(text);

    public void Return(string text)
    {
        var bytes = Heap.Allocate(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = System.Text.Encoding.UTF8.GetBytes(text, new Span<byte>(bytes, System.Text.Encoding.UTF8.GetMaxByteCount(text.Length)));
        ((StringView*)Result.Data)[_row] = StringView.Of(bytes, length);
    }

    /// <summary>A part of a text argument, which is not copied.</summary>
    public void ReturnPart(int argument, int start, int length)
    {
        var bytes = StringView.PointerOf((StringView*)At(argument, sizeof(StringView)));
        ((StringView*)Result.Data)[_row] = StringView.Of(bytes + start, length);
    }

    /// <summary>Room for a text that is written in place; <see cref="ReturnWritten"/> returns it.</summary>
    /// <exception cref="QueryException">More than a value may have.</exception>
    public Span<byte> Room(long length)
    {
        if (length > MostBytes)
            throw Error("INVALID_PARAMETER_VALUE", $"The text would have {length} bytes; a value may have {MostBytes} (1 GB). Ask for a shorter one.");
        _room = Heap.Allocate((int)length);
        return new Span<byte>(_room, (int)length);
    }

    public void ReturnWritten(int length) => ((StringView*)Result.Data)[_row] = StringView.Of(_room, length);

    /// <summary>A value of a type of fixed width: the very type of the result.</summary>
    public void Return<T>(T value) where T : unmanaged => ((T*)Result.Data)[_row] = value;

    public void Return(bool value)
    {
        if (value) Bits.Set((ulong*)Result.Data, _row);
        else Bits.Clear((ulong*)Result.Data, _row);
    }

    public void ReturnNull()
    {
        SetNull(_row);
        if (Type.Physical == PhysicalType.View) ((StringView*)Result.Data)[_row] = default;
    }

    /// <summary>The error of a row, with the place of the call.</summary>
    public QueryException Error(string errorClass, string message) => new(errorClass, message, Context.Text, Position);

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        for (var i = 0; i < arguments.Length; i++) _sources[i] = new Source(arguments[i]);
        // Views must be readable in rows that are not computed too.
        if (Type.Physical == PhysicalType.View && Live != null) new Span<byte>(Result.Data, Rows * sizeof(StringView)).Clear();
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                _row = (word << 6) + BitOperations.TrailingZeroCount(live);
                kernel(this);
            }
        }
        return Result.Set(Rows, HasNulls);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* At(int argument, int width)
    {
        ref var source = ref _sources[argument];
        return source.Codes != null ? source.Data + ((nint)source.Codes[_row] * width) : source.Data + ((nint)_row * source.Step * width);
    }

    private readonly struct Source(ColumnVector vector)
    {
        public readonly byte* Data = vector.Form == VectorForm.Dictionary ? vector.Dictionary!.Values.Data : vector.Data;
        public readonly uint* Codes = vector.Form == VectorForm.Dictionary ? vector.Codes : null;
        public readonly int Step = vector.Form == VectorForm.Constant ? 0 : 1;
    }
}
