using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Numbers of any type as doubles, row by row, whatever the form of the vector.</summary>
internal readonly unsafe struct NumberOperand
{
    private readonly byte* _data;
    private readonly uint* _codes;
    private readonly int _step;
    private readonly PhysicalType _physical;
    private readonly double _unit;

    public NumberOperand(ColumnVector vector)
    {
        var isDictionary = vector.Form == VectorForm.Dictionary;
        _data = isDictionary ? vector.Dictionary!.Values.Data : vector.Data;
        _codes = isDictionary ? vector.Codes : null;
        _step = vector.Form == VectorForm.Constant ? 0 : 1;
        _physical = vector.Type.Physical;
        _unit = vector.Type is DecimalType { Scale: var scale } ? (double)PowersOfTen.Of(scale) : 1;
    }

    public double this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var at = _codes != null ? (nint)_codes[row] : (nint)row * _step;
            return _physical switch
            {
                PhysicalType.Float64 => ((double*)_data)[at],
                PhysicalType.Float32 => ((float*)_data)[at],
                PhysicalType.Int64 => ((long*)_data)[at] / _unit,
                PhysicalType.Int128 => (double)((Int128*)_data)[at] / _unit,
                PhysicalType.Int32 => ((int*)_data)[at],
                PhysicalType.Int16 => ((short*)_data)[at],
                _ => ((sbyte*)_data)[at],
            };
        }
    }
}
