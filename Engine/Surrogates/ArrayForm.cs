using Dataflow.Closures;
using Dataflow.Serialization;

namespace Dataflow.Surrogates;

/// <summary>Arrays of one dimension.</summary>
internal sealed class ArrayForm<T> : Form<T[]>
{
    public override bool IsThereEarly => true;

    protected override void WriteValue(GraphWriter writer, T[] value)
    {
        if (Elements<T>.ArePlain)
        {
            Elements<T>.Write(writer, value);
            return;
        }
        writer.Output.WriteVarUInt((uint)value.Length);
        for (var i = 0; i < value.Length; i++) writer.WriteElement(typeof(T), value[i], i, canBePatched: !typeof(T).IsValueType);
    }

    protected override T[] ReadValue(GraphReader graph, ref BlockReader reader, int slot)
    {
        if (Elements<T>.ArePlain)
        {
            var plain = Elements<T>.Read(graph, ref reader);
            graph.Keep(slot, plain);
            return plain;
        }
        var items = new T[reader.ReadVarUInt()];
        graph.Keep(slot, items);
        for (var i = 0; i < items.Length; i++)
        {
            var item = graph.ReadValue(ref reader, typeof(T));
            if (graph.IsUnfinished(item)) graph.PatchLater(items, i);
            else items[i] = (T)item!;
        }
        return items;
    }
}

/// <summary>Arrays of several dimensions: their lengths, then their elements, the last index fastest.</summary>
internal sealed class MatrixForm(Type type) : Form
{
    private readonly Type _element = type.GetElementType()!;

    public override void Write(GraphWriter writer, object value)
    {
        var array = (Array)value;
        for (var i = 0; i < array.Rank; i++)
        {
            if (array.GetLowerBound(i) != 0) throw writer.Refuse(array.GetType(), "its indices don't begin at 0", "Copy it to an array that does");
            writer.Output.WriteVarUInt((uint)array.GetLength(i));
        }
        var index = 0;
        foreach (var item in array) writer.WriteElement(_element, item, index++, canBePatched: false);
    }

    public override object Read(GraphReader graph, ref BlockReader reader, Type type, int slot)
    {
        var lengths = new int[type.GetArrayRank()];
        for (var i = 0; i < lengths.Length; i++) lengths[i] = (int)reader.ReadVarUInt();
        var array = Array.CreateInstance(_element, lengths);
        var indices = new int[lengths.Length];
        for (var left = array.LongLength; left > 0; left--)
        {
            array.SetValue(graph.ReadValue(ref reader, _element), indices);
            for (var d = indices.Length - 1; d >= 0 && ++indices[d] == lengths[d]; d--) indices[d] = 0;
        }
        return array;
    }
}
