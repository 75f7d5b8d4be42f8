using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>What becomes of two values, and of as many as a register holds. Integers wrap around.</summary>
internal interface IBinary<T> where T : unmanaged
{
    static abstract T Of(T left, T right);

    static abstract Vector512<T> Of(Vector512<T> left, Vector512<T> right);

    static abstract Vector256<T> Of(Vector256<T> left, Vector256<T> right);

    static abstract Vector128<T> Of(Vector128<T> left, Vector128<T> right);
}

/// <summary>An operation on integers that can leave their range.</summary>
internal interface IChecked<T> : IBinary<T> where T : unmanaged
{
    /// <summary>Not zero where the result may be wrong: never zero where it is.</summary>
    static abstract Vector512<T> Doubt(Vector512<T> left, Vector512<T> right, Vector512<T> result);

    static abstract Vector256<T> Doubt(Vector256<T> left, Vector256<T> right, Vector256<T> result);

    static abstract Vector128<T> Doubt(Vector128<T> left, Vector128<T> right, Vector128<T> result);

    static abstract bool IsWrong(T left, T right);
}

internal readonly struct Add<T> : IChecked<T> where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    public static T Of(T left, T right) => unchecked(left + right);

    public static Vector512<T> Of(Vector512<T> left, Vector512<T> right) => left + right;

    public static Vector256<T> Of(Vector256<T> left, Vector256<T> right) => left + right;

    public static Vector128<T> Of(Vector128<T> left, Vector128<T> right) => left + right;

    // Operands of one sign and a result of the other.
    public static Vector512<T> Doubt(Vector512<T> left, Vector512<T> right, Vector512<T> result) =>
        (left ^ result) & (right ^ result) & Vector512.Create(T.MinValue);

    public static Vector256<T> Doubt(Vector256<T> left, Vector256<T> right, Vector256<T> result) =>
        (left ^ result) & (right ^ result) & Vector256.Create(T.MinValue);

    public static Vector128<T> Doubt(Vector128<T> left, Vector128<T> right, Vector128<T> result) =>
        (left ^ result) & (right ^ result) & Vector128.Create(T.MinValue);

    public static bool IsWrong(T left, T right)
    {
        var result = unchecked(left + right);
        return (left < T.Zero) == (right < T.Zero) && (result < T.Zero) != (left < T.Zero);
    }
}

internal readonly struct Subtract<T> : IChecked<T> where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    public static T Of(T left, T right) => unchecked(left - right);

    public static Vector512<T> Of(Vector512<T> left, Vector512<T> right) => left - right;

    public static Vector256<T> Of(Vector256<T> left, Vector256<T> right) => left - right;

    public static Vector128<T> Of(Vector128<T> left, Vector128<T> right) => left - right;

    public static Vector512<T> Doubt(Vector512<T> left, Vector512<T> right, Vector512<T> result) =>
        (left ^ right) & (left ^ result) & Vector512.Create(T.MinValue);

    public static Vector256<T> Doubt(Vector256<T> left, Vector256<T> right, Vector256<T> result) =>
        (left ^ right) & (left ^ result) & Vector256.Create(T.MinValue);

    public static Vector128<T> Doubt(Vector128<T> left, Vector128<T> right, Vector128<T> result) =>
        (left ^ right) & (left ^ result) & Vector128.Create(T.MinValue);

    public static bool IsWrong(T left, T right)
    {
        var result = unchecked(left - right);
        return (left < T.Zero) != (right < T.Zero) && (result < T.Zero) != (left < T.Zero);
    }
}

internal readonly struct Multiply<T> : IChecked<T> where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    public static T Of(T left, T right) => unchecked(left * right);

    public static Vector512<T> Of(Vector512<T> left, Vector512<T> right) => left * right;

    public static Vector256<T> Of(Vector256<T> left, Vector256<T> right) => left * right;

    public static Vector128<T> Of(Vector128<T> left, Vector128<T> right) => left * right;

    // Operands of half the bits can't overflow; of others nothing is known.
    public static Vector512<T> Doubt(Vector512<T> left, Vector512<T> right, Vector512<T> result) =>
        (Vector512.Max(left, ~left) | Vector512.Max(right, ~right)) & Vector512.Create(HighHalf);

    public static Vector256<T> Doubt(Vector256<T> left, Vector256<T> right, Vector256<T> result) =>
        (Vector256.Max(left, ~left) | Vector256.Max(right, ~right)) & Vector256.Create(HighHalf);

    public static Vector128<T> Doubt(Vector128<T> left, Vector128<T> right, Vector128<T> result) =>
        (Vector128.Max(left, ~left) | Vector128.Max(right, ~right)) & Vector128.Create(HighHalf);

    public static bool IsWrong(T left, T right)
    {
        if (typeof(T) == typeof(long))
        {
            var high = Math.BigMul(long.CreateTruncating(left), long.CreateTruncating(right), out var low);
            return high != low >> 63;
        }
        var product = long.CreateTruncating(left) * long.CreateTruncating(right);
        return product != long.CreateTruncating(T.CreateTruncating(product));
    }

    private static T HighHalf
    {
        get
        {
            if (typeof(T) == typeof(sbyte)) return T.CreateTruncating(~0x7L);
            if (typeof(T) == typeof(short)) return T.CreateTruncating(~0x7FL);
            if (typeof(T) == typeof(int)) return T.CreateTruncating(~0x7FFFL);
            return T.CreateTruncating(~0x7FFF_FFFFL);
        }
    }
}

/// <summary>Loops that compute with two columns, or a column and a constant.</summary>
internal static unsafe class Arithmetic
{
    /// <summary>Computes all rows of vectors that are flat or constant.</summary>
    public static void Run<T, TBinary>(ColumnVector left, ColumnVector right, byte* to, int rows)
        where T : unmanaged
        where TBinary : struct, IBinary<T>
    {
        if (left.Form == VectorForm.Constant) Loop<T, ConstantOperand<T>, FlatOperand<T>, TBinary>(new(*(T*)left.Data), new(right.Data), (T*)to, rows);
        else if (right.Form == VectorForm.Constant) Loop<T, FlatOperand<T>, ConstantOperand<T>, TBinary>(new(left.Data), new(*(T*)right.Data), (T*)to, rows);
        else Loop<T, FlatOperand<T>, FlatOperand<T>, TBinary>(new(left.Data), new(right.Data), (T*)to, rows);
    }

    /// <summary>The same, and says whether a result, perhaps of a row that does not count, may be out of range.</summary>
    public static bool RunChecked<T, TBinary>(ColumnVector left, ColumnVector right, byte* to, int rows)
        where T : unmanaged
        where TBinary : struct, IChecked<T>
    {
        if (left.Form == VectorForm.Constant)
            return CheckedLoop<T, ConstantOperand<T>, FlatOperand<T>, TBinary>(new(*(T*)left.Data), new(right.Data), (T*)to, rows);
        if (right.Form == VectorForm.Constant)
            return CheckedLoop<T, FlatOperand<T>, ConstantOperand<T>, TBinary>(new(left.Data), new(*(T*)right.Data), (T*)to, rows);
        return CheckedLoop<T, FlatOperand<T>, FlatOperand<T>, TBinary>(new(left.Data), new(right.Data), (T*)to, rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Loop<T, TLeft, TRight, TBinary>(TLeft left, TRight right, T* to, int rows)
        where T : unmanaged
        where TLeft : struct, IOperand<T>
        where TRight : struct, IOperand<T>
        where TBinary : struct, IBinary<T>
    {
        // The last step may read and write up to 63 bytes past the last row, which all buffers allow.
        var i = 0;
        if (Vector512.IsHardwareAccelerated && Vector512<T>.IsSupported)
        {
            for (; i < rows; i += Vector512<T>.Count) TBinary.Of(left.At512(i), right.At512(i)).Store(to + i);
        }
        else if (Vector256.IsHardwareAccelerated && Vector256<T>.IsSupported)
        {
            for (; i < rows; i += Vector256<T>.Count) TBinary.Of(left.At256(i), right.At256(i)).Store(to + i);
        }
        else if (Vector128.IsHardwareAccelerated && Vector128<T>.IsSupported)
        {
            for (; i < rows; i += Vector128<T>.Count) TBinary.Of(left.At128(i), right.At128(i)).Store(to + i);
        }
        for (; i < rows; i++) to[i] = TBinary.Of(left.At(i), right.At(i));
    }

    private static bool CheckedLoop<T, TLeft, TRight, TBinary>(TLeft left, TRight right, T* to, int rows)
        where T : unmanaged
        where TLeft : struct, IOperand<T>
        where TRight : struct, IOperand<T>
        where TBinary : struct, IChecked<T>
    {
        // Whole registers only: what lies past the last row would raise doubts of its own.
        var i = 0;
        var doubtful = false;
        if (Vector512.IsHardwareAccelerated)
        {
            var doubt = Vector512<T>.Zero;
            for (; i + Vector512<T>.Count <= rows; i += Vector512<T>.Count)
            {
                var (l, r) = (left.At512(i), right.At512(i));
                var result = TBinary.Of(l, r);
                result.Store(to + i);
                doubt |= TBinary.Doubt(l, r, result);
            }
            doubtful = doubt != Vector512<T>.Zero;
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            var doubt = Vector256<T>.Zero;
            for (; i + Vector256<T>.Count <= rows; i += Vector256<T>.Count)
            {
                var (l, r) = (left.At256(i), right.At256(i));
                var result = TBinary.Of(l, r);
                result.Store(to + i);
                doubt |= TBinary.Doubt(l, r, result);
            }
            doubtful = doubt != Vector256<T>.Zero;
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            var doubt = Vector128<T>.Zero;
            for (; i + Vector128<T>.Count <= rows; i += Vector128<T>.Count)
            {
                var (l, r) = (left.At128(i), right.At128(i));
                var result = TBinary.Of(l, r);
                result.Store(to + i);
                doubt |= TBinary.Doubt(l, r, result);
            }
            doubtful = doubt != Vector128<T>.Zero;
        }
        for (; i < rows; i++)
        {
            to[i] = TBinary.Of(left.At(i), right.At(i));
            doubtful |= TBinary.IsWrong(left.At(i), right.At(i));
        }
        return doubtful;
    }
}
