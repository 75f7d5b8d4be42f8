using System.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Copies some rows of one vector into another: how branches become one column.</summary>
internal static unsafe class Blend
{
    /// <summary>Copies values and validity of the rows of a mask.</summary>
    /// <param name="from">A vector of any form, of the type of <paramref name="to"/>, or its 64-bit form.</param>
    /// <param name="to">Where; its validity is kept up for these rows.</param>
    /// <param name="mask">Which rows.</param>
    /// <param name="rows">Rows.</param>
    public static void Copy(ColumnVector from, FlatVector to, ulong* mask, int rows)
    {
        CopyValidity(from, to.Validity, mask, rows);
        if (from.IsNullConstant)
        {
            if (to.Vector.Type.Physical == PhysicalType.View) Empty((StringView*)to.Data, mask, rows);
            return;
        }
        switch (to.Vector.Type.Physical)
        {
            case PhysicalType.Bit:
                for (var word = 0; word < Bits.Words(rows); word++)
                {
                    var bits = (ulong*)to.Data;
                    bits[word] = (bits[word] & ~mask[word]) | (Three.Word(from, word).Value & mask[word]);
                }
                break;
            case PhysicalType.Int8: Copy<byte>(from, to.Data, mask, rows); break;
            case PhysicalType.Int16: Copy<short>(from, to.Data, mask, rows); break;
            case PhysicalType.Int32 or PhysicalType.Float32: Copy<int>(from, to.Data, mask, rows); break;
            case PhysicalType.Int64 or PhysicalType.Float64: Copy<long>(from, to.Data, mask, rows); break;
            case PhysicalType.Int128 when from.Type.Physical == PhysicalType.Int64: CopyWide(from, (Int128*)to.Data, mask, rows); break;
            case PhysicalType.Int128: Copy<Int128>(from, to.Data, mask, rows); break;
            case PhysicalType.View: Copy<StringView>(from, to.Data, mask, rows); break;
            default: throw new InvalidOperationException($"Branches of type {to.Vector.Type} can't be computed. Please report this.");
        }
    }

    private static void CopyValidity(ColumnVector from, ulong* to, ulong* mask, int rows)
    {
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var valid = from.Validity == null ? ulong.MaxValue : from.Form == VectorForm.Constant ? (*from.Validity & 1) != 0 ? ulong.MaxValue : 0 : from.Validity[word];
            to[word] = (to[word] & ~mask[word]) | (valid & mask[word]);
        }
    }

    private static void Copy<T>(ColumnVector from, byte* to, ulong* mask, int rows) where T : unmanaged
    {
        var values = new Operand<T>(from);
        var target = (T*)to;
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var bits = mask[word];
            var first = word << 6;
            if (bits == ulong.MaxValue)
            {
                if (from.Form == VectorForm.Flat) new ReadOnlySpan<T>(values.At(first), 64).CopyTo(new Span<T>(target + first, 64));
                else if (from.Form == VectorForm.Constant) new Span<T>(target + first, 64).Fill(values[0]);
                else for (var i = 0; i < 64; i++) target[first + i] = values[first + i];
                continue;
            }
            for (; bits != 0; bits &= bits - 1)
            {
                var row = first + BitOperations.TrailingZeroCount(bits);
                target[row] = values[row];
            }
        }
    }

    private static void CopyWide(ColumnVector from, Int128* to, ulong* mask, int rows)
    {
        var values = new Operand<long>(from);
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var bits = mask[word]; bits != 0; bits &= bits - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(bits);
                to[row] = values[row];
            }
        }
    }

    // Views of rows without a value must be readable.
    private static void Empty(StringView* to, ulong* mask, int rows)
    {
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var bits = mask[word]; bits != 0; bits &= bits - 1) to[(word << 6) + BitOperations.TrailingZeroCount(bits)] = default;
        }
    }
}
