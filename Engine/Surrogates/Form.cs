using Dataflow.Closures;
using Dataflow.Serialization;

namespace Dataflow.Surrogates;

/// <summary>How values of one type travel, when neither their fields nor their memory would do: by what they mean.</summary>
/// <remarks>Stateless. Writing and reading are symmetric: a form reads exactly what it wrote.</remarks>
internal abstract class Form
{
    /// <summary>The type that is named in front of the value, so that the reading side finds this form.</summary>
    public virtual Type NamedAs(Type type) => type;

    /// <summary>Whether the object exists before its parts are read, so that they may refer to it.</summary>
    public virtual bool IsThereEarly => false;

    public abstract void Write(GraphWriter writer, object value);

    /// <param name="type">What <see cref="NamedAs"/> gave.</param>
    /// <param name="slot">The object's number; a form that <see cref="IsThereEarly"/> gives it to the reader before it reads parts. -1 for a
    /// value without identity.</param>
    public abstract object Read(GraphReader graph, ref BlockReader reader, Type type, int slot);
}

/// <summary>A form whose type is known.</summary>
internal abstract class Form<T> : Form
    where T : notnull
{
    public sealed override void Write(GraphWriter writer, object value) => WriteValue(writer, (T)value);

    public sealed override object Read(GraphReader graph, ref BlockReader reader, Type type, int slot) => ReadValue(graph, ref reader, slot);

    protected abstract void WriteValue(GraphWriter writer, T value);

    protected abstract T ReadValue(GraphReader graph, ref BlockReader reader, int slot);
}

/// <summary>A form of one line each way, for values that are told by a text.</summary>
internal sealed class TextForm<T>(Func<T, string> write, Func<string, T> read) : Form<T>
    where T : class
{
    public override Type NamedAs(Type type) => typeof(T);

    protected override void WriteValue(GraphWriter writer, T value) => writer.Output.WriteString(write(value));

    protected override T ReadValue(GraphReader graph, ref BlockReader reader, int slot) => read(reader.ReadString()!);
}
