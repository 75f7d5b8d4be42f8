using System.Buffers.Binary;
using System.Collections.Concurrent;
using Dataflow.Serialization;

namespace Dataflow.Streaming.Stored;

/// <summary>
/// Turns values that are kept into bytes and back. A record is written field by field behind a number of its fields' names and types, so that bytes of an earlier start are
/// read where fields that may be null were added since.
/// </summary>
/// <typeparam name="T">The type of the values.</typeparam>
internal sealed class StoredCodec<T>
{
    private static StoredCodec<T>? _value;

    private readonly StoredField<T>[]? _fields;
    private readonly Codec<T> _whole;
    private readonly uint _hash;
    private readonly ConcurrentDictionary<uint, StoredField<T>[]> _earlier = new();

    private StoredCodec()
    {
        _whole = Codec<T>.Default;
        _fields = StoredField<T>.Of(_whole.Schema);
        Shape = new StoredShape(_fields is null ? null : [.. _fields.Select(field => field.Shape)], _whole.Schema);
        _hash = Shape.Hash;
    }

    /// <summary>The codec, made once.</summary>
    /// <exception cref="CodecException">The type can't be kept; says why.</exception>
    public static StoredCodec<T> Default => _value ??= new StoredCodec<T>();

    /// <summary>What values look like.</summary>
    public StoredShape Shape { get; }

    public byte[] Encode(T value)
    {
        using var writer = new BlockWriter(256);
        writer.WriteUnmanaged(_hash);
        if (_fields is null)
        {
            _whole.Write(writer, new ReadOnlySpan<T>(in value));
        }
        else
        {
            if (value!.GetType() != typeof(T))
                throw new CodecException($"A {value.GetType()} can't be kept as a {typeof(T)}: fields that only derived classes have would be lost. Keep the {typeof(T)} itself, or make it sealed.");
            foreach (var field in _fields) field.Write(writer, ref value);
        }
        return writer.Written.ToArray();
    }

    /// <summary>The value of some bytes.</summary>
    /// <param name="bytes">As <see cref="Encode"/> wrote them, now or in an earlier start.</param>
    /// <param name="earlier">Shapes of earlier starts.</param>
    public T Decode(ReadOnlySpan<byte> bytes, IEnumerable<string> earlier)
    {
        var hash = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        var reader = new BlockReader(bytes[sizeof(uint)..]);
        var value = default(T)!;
        if (_fields is null && hash == _hash)
        {
            _whole.Read(ref reader, System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref value, 1));
            return value;
        }
        if (!typeof(T).IsValueType) value = (T)System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(typeof(T));
        foreach (var field in hash == _hash ? _fields! : Earlier(hash, earlier)) field.Read(ref reader, ref value);
        return value;
    }

    private StoredField<T>[] Earlier(uint hash, IEnumerable<string> shapes) => _earlier.GetOrAdd(hash, _ =>
    {
        foreach (var shape in shapes.SelectMany(GroupShape.Values))
        {
            if (shape.Hash != hash || shape.Fields is null || _fields is null) continue;
            return [.. shape.Fields.Select(there => Array.Find(_fields, here => here.Shape.Name == there.Name && here.Shape.Type == there.Type) ?? throw Unknown())];
        }
        throw Unknown();
    });

    private static StreamingException Unknown() => new(
        "CHECKPOINT_DAMAGED", $"State holds a {typeof(T)} with fields that the checkpoint does not name. Bring the checkpoint's folder back from a copy; or begin anew with another folder.");
}
