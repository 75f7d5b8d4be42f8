using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Integers and decimals of any width as 128-bit values, row by row, whatever the form of the vector.</summary>
internal readonly unsafe struct WideOperand
{
    private readonly byte* _data;
    private readonly uint* _codes;
    private readonly int _step;
    private readonly PhysicalType _physical;

    public WideOperand(ColumnVector vector)
    {
        var isDictionary = vector.Form == VectorForm.Dictionary;
        _data = isDictionary ? vector.Dictionary!.Values.Data : vector.Data;
        _codes = isDictionary ? vector.Codes : null;
        _step = vector.Form == VectorForm.Constant ? 0 : 1;
        _physical = vector.Type.Physical;
    }

    public Int128 this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var at = _codes != null ? (nint)_codes[row] : (nint)row * _step;
            return _physical switch
            {
                PhysicalType.Int64 => ((long*)_data)[at],
                PhysicalType.Int128 => ((Int128*)_data)[at],
                PhysicalType.Int32 => ((int*)_data)[at],
                PhysicalType.Int16 => ((short*)_data)[at],
                _ => ((sbyte*)_data)[at],
            };
        }
    }
}
