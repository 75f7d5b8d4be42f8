using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>
/// Classes and structs field by field through reflection, where code can't be made at run time: the bytes of <see
/// cref="CompiledCodec{T}"/>.
/// </summary>
internal sealed class ReflectedCodec<T>(TypeShape shape, CodecRef[] parts) : ShapedCodec<T>(shape)
{
    private readonly FieldInfo[] _fields = shape.Fields;

    internal override void WriteItem(BlockWriter writer, T item)
    {
        if (item is null)
        {
            writer.WriteByte(Subtypes.Null);
            return;
        }
        if (!typeof(T).IsValueType)
        {
            if (item.GetType() != typeof(T))
            {
                Subtypes.Write(writer, item, typeof(T));
                return;
            }
            writer.WriteByte(Subtypes.Exact);
        }
        else if (_fields.Length == 0)
        {
            writer.WriteByte(0);
        }

        if (Shape.IsRecursive) writer.Descend(typeof(T));
        object boxed = item;
        for (var i = 0; i < _fields.Length; i++) parts[i].Boxed.WriteBoxed(writer, _fields[i].GetValue(boxed));
        if (Shape.IsRecursive) writer.Ascend();
    }

    internal override T ReadItem(ref BlockReader reader)
    {
        if (!typeof(T).IsValueType)
        {
            var marker = reader.ReadVarUInt();
            if (marker == Subtypes.Null)
                return default!;
            if (marker != Subtypes.Exact)
                return (T)Subtypes.Read(ref reader, marker, typeof(T))!;
        }
        else if (_fields.Length == 0)
        {
            reader.ReadByte();
        }

        if (Shape.IsRecursive) reader.Descend(typeof(T));
        var item = RuntimeHelpers.GetUninitializedObject(typeof(T));
        for (var i = 0; i < _fields.Length; i++) _fields[i].SetValue(item, parts[i].Boxed.ReadBoxed(ref reader));
        if (Shape.IsRecursive) reader.Ascend();
        return (T)item;
    }
}
