using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Where a loop takes its values from: values that follow each other, or one value. Loops are compiled for each.</summary>
internal interface IOperand<T> where T : unmanaged
{
    T At(int row);

    Vector512<T> At512(int row);

    Vector256<T> At256(int row);

    Vector128<T> At128(int row);
}

/// <summary>Values that follow each other.</summary>
internal readonly unsafe struct FlatOperand<T>(byte* data) : IOperand<T> where T : unmanaged
{
    private readonly T* _data = (T*)data;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T At(int row) => _data[row];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<T> At512(int row) => Vector512.Load(_data + row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<T> At256(int row) => Vector256.Load(_data + row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<T> At128(int row) => Vector128.Load(_data + row);
}

/// <summary>One value for all rows.</summary>
internal readonly struct ConstantOperand<T>(T value) : IOperand<T> where T : unmanaged
{
    private readonly T _value = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T At(int row) => _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<T> At512(int row) => Vector512.Create(_value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<T> At256(int row) => Vector256.Create(_value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<T> At128(int row) => Vector128.Create(_value);
}

/// <summary>The values of a vector of any form, row by row: for functions whose own work is more than the access.</summary>
internal readonly unsafe struct Operand<T> where T : unmanaged
{
    private readonly T* _data;
    private readonly uint* _codes;
    private readonly int _step;

    public Operand(ColumnVector vector)
    {
        var isDictionary = vector.Form == VectorForm.Dictionary;
        _data = (T*)(isDictionary ? vector.Dictionary!.Values.Data : vector.Data);
        _codes = isDictionary ? vector.Codes : null;
        _step = vector.Form == VectorForm.Constant ? 0 : 1;
    }

    public T this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => *At(row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* At(int row) => _codes != null ? _data + _codes[row] : _data + ((nint)row * _step);
}
