using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Dataflow.Sql.Columns;

namespace Dataflow.MLlib.Data;

/// <summary>Writes vectors into columns.</summary>
internal static unsafe class VectorWriter
{
    /// <summary>Writes a vector.</summary>
    /// <param name="heap">Where its bytes go.</param>
    /// <param name="values">The elements.</param>
    /// <param name="compresses">Whether it is stored sparse if that is smaller.</param>
    public static StringView Write(TextHeap heap, ReadOnlySpan<double> values, bool compresses = false)
    {
        if (compresses)
        {
            var stored = 0;
            foreach (var value in values) stored += value != 0 ? 1 : 0;
            if (VectorView.LengthOf(VectorView.Sparse, stored) < VectorView.LengthOf(VectorView.Doubles, values.Length)) return WriteSparse(heap, values, stored);
        }
        var length = VectorView.LengthOf(VectorView.Doubles, values.Length);
        var bytes = heap.Allocate(length);
        bytes[0] = VectorView.Doubles;
        MemoryMarshal.AsBytes(values).CopyTo(new Span<byte>(bytes + 1, length - 1));
        return StringView.Of(bytes, length);
    }

    /// <summary>Writes a sparse vector.</summary>
    /// <param name="heap">Where its bytes go.</param>
    /// <param name="size">Elements, zeros included.</param>
    /// <param name="indices">Positions, ascending.</param>
    /// <param name="values">Their values.</param>
    public static StringView WriteSparse(TextHeap heap, int size, ReadOnlySpan<int> indices, ReadOnlySpan<double> values)
    {
        var length = VectorView.LengthOf(VectorView.Sparse, indices.Length);
        var bytes = new Span<byte>(heap.Allocate(length), length);
        bytes[0] = VectorView.Sparse;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], size);
        MemoryMarshal.AsBytes(indices).CopyTo(bytes[5..]);
        MemoryMarshal.AsBytes(values).CopyTo(bytes[(5 + (indices.Length * 4))..]);
        fixed (byte* start = bytes) return StringView.Of(start, length);
    }

    private static StringView WriteSparse(TextHeap heap, ReadOnlySpan<double> values, int stored)
    {
        var length = VectorView.LengthOf(VectorView.Sparse, stored);
        var bytes = heap.Allocate(length);
        bytes[0] = VectorView.Sparse;
        BinaryPrimitives.WriteInt32LittleEndian(new Span<byte>(bytes + 1, 4), values.Length);
        var indices = bytes + 5;
        var numbers = indices + (stored * 4);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] == 0) continue;
            BinaryPrimitives.WriteInt32LittleEndian(new Span<byte>(indices, 4), i);
            BinaryPrimitives.WriteDoubleLittleEndian(new Span<byte>(numbers, 8), values[i]);
            indices += 4;
            numbers += 8;
        }
        return StringView.Of(bytes, length);
    }
}
