using System.Numerics;
using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Kernels;

/// <summary>Whether a value is one of a list. Short lists are compared one by one, long ones looked up.</summary>
internal static unsafe class InListCompiler
{
    public static Evaluator Compile(InList list, Evaluator operand, EvaluatorContext context)
    {
        var literals = list.Values.Where(value => value.Value is not null).ToArray();
        var hasNull = literals.Length < list.Values.Count;
        var type = list.Operand.Type;
        return type.Physical switch
        {
            PhysicalType.Int8 => New<sbyte, Equal<sbyte>>(value => (sbyte)value),
            PhysicalType.Int16 => New<short, Equal<short>>(value => (short)value),
            PhysicalType.Int32 => New<int, Equal<int>>(value => (int)value),
            PhysicalType.Int64 => New<long, Equal<long>>(value => value is Int128 wide ? (long)wide : (long)value),
            PhysicalType.Float32 => New<float, FloatEqual<float>>(value => (float)value),
            PhysicalType.Float64 => New<double, FloatEqual<double>>(value => (double)value),
            PhysicalType.Int128 => new InWideEvaluator([.. literals.Select(literal => (Int128)literal.Value!)], hasNull, operand, context),
            PhysicalType.View => new InViewsEvaluator([.. literals.Select(literal => literal.Value as byte[] ?? Encoding.UTF8.GetBytes((string)literal.Value!))], hasNull, operand, context),
            PhysicalType.Bit => new InBitsEvaluator([.. literals.Select(literal => (bool)literal.Value!)], hasNull, operand, context),
            _ => throw new InvalidOperationException($"Values of type {type} can't be looked up in a list. Please report this."),
        };

        Evaluator New<T, TEqual>(Func<object, T> convert) where T : unmanaged where TEqual : struct, ICompare<T> =>
            new InListEvaluator<T, TEqual>([.. literals.Select(literal => convert(literal.Value!)).Distinct()], hasNull, operand, context);
    }
}

/// <summary>What all lists share: a null in the list makes null what is not found.</summary>
internal abstract unsafe class ListEvaluator(bool hasNull, Evaluator operand, EvaluatorContext context) : StrictEvaluator(DataType.Boolean, [operand], context, -1)
{
    protected sealed override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var found = (ulong*)Result.Data;
        Find(arguments[0], found);
        if (!hasNull) return Result.Set(Rows, HasNulls);
        var validity = Result.Validity;
        for (var word = 0; word < Bits.Words(Rows); word++) validity[word] = found[word] & (HasNulls ? validity[word] : ulong.MaxValue);
        return Result.Set(Rows, true);
    }

    /// <summary>Sets the bits of rows that are found and clears the others.</summary>
    protected abstract void Find(ColumnVector vector, ulong* found);
}

internal sealed unsafe class InListEvaluator<T, TEqual> : ListEvaluator
    where T : unmanaged
    where TEqual : struct, ICompare<T>
{
    private const int Short = 16;
    private readonly T[] _values;
    private readonly HashSet<T>? _set;
    private readonly ColumnVector _one;
    private readonly ulong* _bits;

    public InListEvaluator(T[] values, bool hasNull, Evaluator operand, EvaluatorContext context) : base(hasNull, operand, context)
    {
        _values = values;
        _set = values.Length > Short ? [.. values] : null;
        _one = new ColumnVector(DataType.Boolean) { Form = VectorForm.Constant, Data = context.Arena.Rent(64).Pointer };
        _bits = (ulong*)context.Arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
    }

    protected override void Find(ColumnVector vector, ulong* found)
    {
        Bits.Zero(found, Rows);
        if (_set is null)
        {
            foreach (var value in _values)
            {
                *(T*)_one.Data = value;
                Compare.Run<T, TEqual>(vector, _one, _bits, Rows);
                for (var word = 0; word < Bits.Words(Rows); word++) found[word] |= _bits[word];
            }
            return;
        }
        var values = (T*)vector.Data;
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var bit = BitOperations.TrailingZeroCount(live);
                if (_set.Contains(values[(word << 6) + bit])) found[word] |= 1UL << bit;
            }
        }
    }
}

internal sealed unsafe class InWideEvaluator(Int128[] values, bool hasNull, Evaluator operand, EvaluatorContext context) : ListEvaluator(hasNull, operand, context)
{
    private readonly HashSet<Int128> _set = [.. values];

    protected override void Find(ColumnVector vector, ulong* found)
    {
        Bits.Zero(found, Rows);
        var data = (Int128*)vector.Data;
        for (var row = 0; row < Rows; row++)
        {
            if ((Live == null || Bits.Get(Live, row)) && _set.Contains(data[row])) Bits.Set(found, row);
        }
    }
}

internal sealed unsafe class InBitsEvaluator(bool[] values, bool hasNull, Evaluator operand, EvaluatorContext context) : ListEvaluator(hasNull, operand, context)
{
    protected override void Find(ColumnVector vector, ulong* found)
    {
        var (hasTrue, hasFalse) = (values.Contains(true), values.Contains(false));
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            var bits = ((ulong*)vector.Data)[word];
            found[word] = (hasTrue ? bits : 0) | (hasFalse ? ~bits : 0);
        }
    }
}

internal sealed unsafe class InViewsEvaluator : ListEvaluator
{
    private const int Short = 8;
    private readonly StringView* _views;
    private readonly int _count;
    private readonly HashSet<ReadOnlyMemory<byte>>? _set;
    private readonly HashSet<ReadOnlyMemory<byte>>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    public InViewsEvaluator(byte[][] values, bool hasNull, Evaluator operand, EvaluatorContext context) : base(hasNull, operand, context)
    {
        _count = values.Length;
        _views = (StringView*)context.Arena.Rent((_count + 1) * sizeof(StringView)).Pointer;
        var bytes = context.Arena.Rent(values.Sum(value => value.Length)).Pointer;
        for (var i = 0; i < _count; i++)
        {
            values[i].CopyTo(new Span<byte>(bytes, values[i].Length));
            _views[i] = StringView.Of(bytes, values[i].Length);
            bytes += values[i].Length;
        }
        if (_count <= Short) return;
        _set = new HashSet<ReadOnlyMemory<byte>>(ByteOrder.Instance);
        foreach (var value in values) _set.Add(value);
        _lookup = _set.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    protected override bool TakesDictionaries => true;

    protected override void Find(ColumnVector vector, ulong* found)
    {
        Bits.Zero(found, Rows);
        var values = new Operand<StringView>(vector);
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var bit = BitOperations.TrailingZeroCount(live);
                if (Has(values.At((word << 6) + bit))) found[word] |= 1UL << bit;
            }
        }
    }

    private bool Has(StringView* value)
    {
        if (_set is not null) return _lookup.Contains(StringView.BytesOf(value));
        for (var i = 0; i < _count; i++)
        {
            if (StringView.AreEqual(_views + i, value)) return true;
        }
        return false;
    }
}

/// <summary>Bytes are equal if they are the same, one by one.</summary>
internal sealed class ByteOrder : IEqualityComparer<ReadOnlyMemory<byte>>, IAlternateEqualityComparer<ReadOnlySpan<byte>, ReadOnlyMemory<byte>>
{
    public static ByteOrder Instance { get; } = new();

    public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

    public int GetHashCode(ReadOnlyMemory<byte> obj) => GetHashCode(obj.Span);

    public bool Equals(ReadOnlySpan<byte> alternate, ReadOnlyMemory<byte> other) => alternate.SequenceEqual(other.Span);

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var hash = new HashCode();
        hash.AddBytes(alternate);
        return hash.ToHashCode();
    }

    public ReadOnlyMemory<byte> Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
