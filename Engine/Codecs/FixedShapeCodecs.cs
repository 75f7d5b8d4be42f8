using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>Arrays of two and more dimensions: the length of each, then all elements, the last index running fastest.</summary>
internal sealed class GridCodec<TArray, T>(TypeShape shape, CodecRef<T> element) : ShapedCodec<TArray?>(shape)
    where TArray : class
{
    private readonly int _rank = typeof(TArray).GetArrayRank();

    internal override void WriteItem(BlockWriter writer, TArray? item)
    {
        writer.WriteByte(item is null ? (byte)0 : (byte)1);
        if (item is not Array array) return;
        for (var dimension = 0; dimension < _rank; dimension++)
        {
            if (array.GetLowerBound(dimension) != 0)
                throw new CodecException(
                    $"A {TypeNames.Short(typeof(TArray))} whose indices begin at {array.GetLowerBound(dimension)} can't be encoded; "
                    + "next: copy it into one that begins at 0.");
            writer.WriteVarUInt((uint)array.GetLength(dimension));
        }
        element.Codec.WriteItems(writer, ItemsOf(array));
    }

    internal override TArray? ReadItem(ref BlockReader reader)
    {
        var mark = reader.ReadByte();
        if (mark == 0)
            return null;

        var lengths = new int[_rank];
        long count = 1, atLeastOne = 1;
        for (var dimension = 0; dimension < _rank; dimension++)
        {
            var length = reader.ReadVarUInt();
            count *= length;
            atLeastOne *= Math.Max(length, 1);
            if (atLeastOne > Array.MaxLength || mark != 1)
                throw new CorruptDataException($"The data holds no {TypeNames.Short(typeof(TArray))}: a side of {length:N0}.");
            lengths[dimension] = (int)length;
        }
        reader.CheckCount((uint)count, element.Codec.MinimumBytes);

        var array = Array.CreateInstanceFromArrayType(typeof(TArray), lengths);
        element.Codec.ReadItems(ref reader, ItemsOf(array));
        return (TArray)(object)array;
    }

    private static Span<T> ItemsOf(Array array) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(array)), array.Length);
}

/// <summary>Structs that are a fixed number of elements in a row, where those are not plain memory.</summary>
internal sealed class InlineArrayCodec<TArray, T>(TypeShape shape, CodecRef<T> element) : ShapedCodec<TArray>(shape)
{
    private static readonly int Length = Unsafe.SizeOf<TArray>() / Unsafe.SizeOf<T>();

    internal override void WriteItem(BlockWriter writer, TArray item) => element.Codec.WriteItems(writer, ItemsOf(ref item));

    internal override TArray ReadItem(ref BlockReader reader)
    {
        TArray item = default!;
        element.Codec.ReadItems(ref reader, ItemsOf(ref item));
        return item;
    }

    private static Span<T> ItemsOf(scoped ref TArray item) => MemoryMarshal.CreateSpan(ref Unsafe.As<TArray, T>(ref item), Length);
}

/// <summary>A byte that says whether there is a value, then the value.</summary>
internal sealed class NullableCodec<T>(TypeShape shape, CodecRef<T> value) : ShapedCodec<T?>(shape)
    where T : struct
{
    internal override void WriteItem(BlockWriter writer, T? item)
    {
        Scalars.WriteBool(writer, item.HasValue);
        if (item.HasValue) value.Codec.WriteItem(writer, item.GetValueOrDefault());
    }

    internal override T? ReadItem(ref BlockReader reader) => Scalars.ReadBool(ref reader) ? value.Codec.ReadItem(ref reader) : null;
}
