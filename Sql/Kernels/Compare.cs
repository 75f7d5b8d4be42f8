using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>A comparison of two values, and of as many as a register holds.</summary>
internal interface ICompare<T> where T : unmanaged
{
    static abstract bool Of(T left, T right);

    static abstract Vector512<T> Of(Vector512<T> left, Vector512<T> right);

    static abstract Vector256<T> Of(Vector256<T> left, Vector256<T> right);

    static abstract Vector128<T> Of(Vector128<T> left, Vector128<T> right);
}

internal readonly struct Equal<T> : ICompare<T> where T : unmanaged, IBinaryInteger<T>
{
    public static bool Of(T left, T right) => left == right;

    public static Vector512<T> Of(Vector512<T> left, Vector512<T> right) => Vector512.Equals(left, right);

    public static Vector256<T> Of(Vector256<T> left, Vector256<T> right) => Vector256.Equals(left, right);

    public static Vector128<T> Of(Vector128<T> left, Vector128<T> right) => Vector128.Equals(left, right);
}

internal readonly struct Less<T> : ICompare<T> where T : unmanaged, IBinaryInteger<T>
{
    public static bool Of(T left, T right) => left < right;

    public static Vector512<T> Of(Vector512<T> left, Vector512<T> right) => Vector512.LessThan(left, right);

    public static Vector256<T> Of(Vector256<T> left, Vector256<T> right) => Vector256.LessThan(left, right);

    public static Vector128<T> Of(Vector128<T> left, Vector128<T> right) => Vector128.LessThan(left, right);
}

/// <summary>NaN is equal to NaN, as everywhere in SQL here.</summary>
internal readonly struct FloatEqual<T> : ICompare<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool Of(T left, T right) => left == right || (T.IsNaN(left) && T.IsNaN(right));

    public static Vector512<T> Of(Vector512<T> left, Vector512<T> right) =>
        Vector512.Equals(left, right) | ~(Vector512.Equals(left, left) | Vector512.Equals(right, right));

    public static Vector256<T> Of(Vector256<T> left, Vector256<T> right) =>
        Vector256.Equals(left, right) | ~(Vector256.Equals(left, left) | Vector256.Equals(right, right));

    public static Vector128<T> Of(Vector128<T> left, Vector128<T> right) =>
        Vector128.Equals(left, right) | ~(Vector128.Equals(left, left) | Vector128.Equals(right, right));
}

/// <summary>NaN is larger than all other values.</summary>
internal readonly struct FloatLess<T> : ICompare<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool Of(T left, T right) => left < right || (T.IsNaN(right) && !T.IsNaN(left));

    public static Vector512<T> Of(Vector512<T> left, Vector512<T> right) =>
        Vector512.LessThan(left, right) | Vector512.AndNot(Vector512.Equals(left, left), Vector512.Equals(right, right));

    public static Vector256<T> Of(Vector256<T> left, Vector256<T> right) =>
        Vector256.LessThan(left, right) | Vector256.AndNot(Vector256.Equals(left, left), Vector256.Equals(right, right));

    public static Vector128<T> Of(Vector128<T> left, Vector128<T> right) =>
        Vector128.LessThan(left, right) | Vector128.AndNot(Vector128.Equals(left, left), Vector128.Equals(right, right));
}

/// <summary>Loops that compare two columns, or a column with a constant, into masks.</summary>
internal static unsafe class Compare
{
    /// <summary>Compares vectors that are flat or constant.</summary>
    public static void Run<T, TCompare>(ColumnVector left, ColumnVector right, ulong* to, int rows)
        where T : unmanaged
        where TCompare : struct, ICompare<T>
    {
        if (left.Form == VectorForm.Constant) Loop<T, ConstantOperand<T>, FlatOperand<T>, TCompare>(new(*(T*)left.Data), new(right.Data), to, rows);
        else if (right.Form == VectorForm.Constant) Loop<T, FlatOperand<T>, ConstantOperand<T>, TCompare>(new(left.Data), new(*(T*)right.Data), to, rows);
        else Loop<T, FlatOperand<T>, FlatOperand<T>, TCompare>(new(left.Data), new(right.Data), to, rows);
    }

    /// <summary>Turns a mask around: what was false is true. Nothing is said of bits past the last row.</summary>
    public static void Not(ulong* bits, int rows)
    {
        for (var i = 0; i < Bits.Words(rows); i++) bits[i] = ~bits[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Loop<T, TLeft, TRight, TCompare>(TLeft left, TRight right, ulong* to, int rows)
        where T : unmanaged
        where TLeft : struct, IOperand<T>
        where TRight : struct, IOperand<T>
        where TCompare : struct, ICompare<T>
    {
        for (var first = 0; first < rows; first += 64)
        {
            // The last step may read up to 63 bytes past the last row, which all buffers allow.
            var count = Math.Min(64, rows - first);
            var bits = 0UL;
            if (Vector512.IsHardwareAccelerated && Vector512<T>.IsSupported)
            {
                for (var i = 0; i < count; i += Vector512<T>.Count)
                    bits |= TCompare.Of(left.At512(first + i), right.At512(first + i)).ExtractMostSignificantBits() << i;
            }
            else if (Vector256.IsHardwareAccelerated && Vector256<T>.IsSupported)
            {
                for (var i = 0; i < count; i += Vector256<T>.Count)
                    bits |= (ulong)TCompare.Of(left.At256(first + i), right.At256(first + i)).ExtractMostSignificantBits() << i;
            }
            else if (Vector128.IsHardwareAccelerated && Vector128<T>.IsSupported)
            {
                for (var i = 0; i < count; i += Vector128<T>.Count)
                    bits |= (ulong)TCompare.Of(left.At128(first + i), right.At128(first + i)).ExtractMostSignificantBits() << i;
            }
            else
            {
                for (var i = 0; i < count; i++) bits |= (TCompare.Of(left.At(first + i), right.At(first + i)) ? 1UL : 0) << i;
            }
            to[first >> 6] = bits;
        }
    }
}

/// <summary>How two values compare.</summary>
internal enum Relation
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>Compares values of a type that registers hold.</summary>
internal sealed unsafe class CompareEvaluator<T, TEqual, TLess>(Relation relation, Evaluator[] arguments, EvaluatorContext context)
    : StrictEvaluator(DataType.Boolean, arguments, context, -1)
    where T : unmanaged
    where TEqual : struct, ICompare<T>
    where TLess : struct, ICompare<T>
{
    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var to = (ulong*)Result.Data;
        var isSwapped = relation is Relation.Greater or Relation.LessOrEqual;
        var left = arguments[isSwapped ? 1 : 0];
        var right = arguments[isSwapped ? 0 : 1];
        if (relation is Relation.Equal or Relation.NotEqual) Compare.Run<T, TEqual>(left, right, to, Rows);
        else Compare.Run<T, TLess>(left, right, to, Rows);
        // a <> b is not (a = b); a <= b is not (b < a); a >= b is not (a < b): the order is total.
        if (relation is Relation.NotEqual or Relation.LessOrEqual or Relation.GreaterOrEqual) Compare.Not(to, Rows);
        return Result.Set(Rows, HasNulls);
    }
}

/// <summary>Compares text or bytes, and booleans.</summary>
internal sealed unsafe class CompareViewsEvaluator(Relation relation, Evaluator[] arguments, EvaluatorContext context)
    : StrictEvaluator(DataType.Boolean, arguments, context, -1)
{
    protected override bool TakesDictionaries => true;

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var to = (ulong*)Result.Data;
        var left = new Operand<StringView>(arguments[0]);
        var right = new Operand<StringView>(arguments[1]);
        var isEquality = relation is Relation.Equal or Relation.NotEqual;
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            var bits = 0UL;
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var bit = BitOperations.TrailingZeroCount(live);
                var row = (word << 6) + bit;
                bits |= (isEquality ? StringView.AreEqual(left.At(row), right.At(row)) : Holds(StringView.Compare(left.At(row), right.At(row)))) ? 1UL << bit : 0;
            }
            to[word] = bits;
        }
        if (relation == Relation.NotEqual) Compare.Not(to, Rows);
        return Result.Set(Rows, HasNulls);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Holds(int order) => relation switch
    {
        Relation.Less => order < 0,
        Relation.LessOrEqual => order <= 0,
        Relation.Greater => order > 0,
        _ => order >= 0,
    };
}

/// <summary>Compares values of 128 bits.</summary>
internal sealed unsafe class CompareWideEvaluator(Relation relation, Evaluator[] arguments, EvaluatorContext context)
    : StrictEvaluator(DataType.Boolean, arguments, context, -1)
{
    protected override bool TakesNarrow => true;

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var to = (ulong*)Result.Data;
        if (arguments[0].Type.Physical == PhysicalType.Int64 && arguments[1].Type.Physical == PhysicalType.Int64)
        {
            var isSwapped = relation is Relation.Greater or Relation.LessOrEqual;
            if (relation is Relation.Equal or Relation.NotEqual) Compare.Run<long, Equal<long>>(arguments[0], arguments[1], to, Rows);
            else Compare.Run<long, Less<long>>(arguments[isSwapped ? 1 : 0], arguments[isSwapped ? 0 : 1], to, Rows);
            if (relation is Relation.NotEqual or Relation.LessOrEqual or Relation.GreaterOrEqual) Compare.Not(to, Rows);
            return Result.Set(Rows, HasNulls);
        }
        var left = new WideOperand(arguments[0]);
        var right = new WideOperand(arguments[1]);
        Bits.Zero(to, Rows);
        for (var row = 0; row < Rows; row++)
        {
            var (l, r) = (left[row], right[row]);
            var holds = relation switch
            {
                Relation.Equal => l == r,
                Relation.NotEqual => l != r,
                Relation.Less => l < r,
                Relation.LessOrEqual => l <= r,
                Relation.Greater => l > r,
                _ => l >= r,
            };
            if (holds) Bits.Set(to, row);
        }
        return Result.Set(Rows, HasNulls);
    }
}

/// <summary>Compares booleans: false is less than true.</summary>
internal sealed unsafe class CompareBitsEvaluator(Relation relation, Evaluator[] arguments, EvaluatorContext context)
    : StrictEvaluator(DataType.Boolean, arguments, context, -1)
{
    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var to = (ulong*)Result.Data;
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            var left = WordOf(arguments[0], word);
            var right = WordOf(arguments[1], word);
            to[word] = relation switch
            {
                Relation.Equal => ~(left ^ right),
                Relation.NotEqual => left ^ right,
                Relation.Less => ~left & right,
                Relation.LessOrEqual => ~left | right,
                Relation.Greater => left & ~right,
                _ => left | ~right,
            };
        }
        return Result.Set(Rows, HasNulls);
    }

    private static ulong WordOf(ColumnVector vector, int word)
    {
        if (vector.Form == VectorForm.Constant) return (*vector.Data & 1) != 0 ? ulong.MaxValue : 0;
        return ((ulong*)vector.Data)[word];
    }
}
