using System.Collections;

namespace Dataflow.Sql;

/// <summary>A column of a table: name, type, and whether values may be null.</summary>
/// <param name="Name">The name, as it was written.</param>
/// <param name="Type">The type.</param>
/// <param name="Nullable">Whether values may be null.</param>
public sealed record Field(string Name, DataType Type, bool Nullable = true)
{
    /// <summary>As <c>name type</c>, with <c>not null</c> where it applies.</summary>
    public override string ToString() => $"{Name} {Type}{(Nullable ? "" : " not null")}";
}

/// <summary>The columns of a table, in order. Names are compared without regard to case.</summary>
public sealed record Schema(ValueList<Field> Fields) : IReadOnlyList<Field>
{
    /// <summary>A schema of some fields.</summary>
    public Schema(params Field[] fields) : this(new ValueList<Field>(fields)) { }

    /// <inheritdoc/>
    public int Count => Fields.Count;

    /// <inheritdoc/>
    public Field this[int index] => Fields[index];

    /// <summary>The position of a column, or -1.</summary>
    public int IndexOf(string name)
    {
        for (var i = 0; i < Fields.Count; i++)
        {
            if (string.Equals(Fields[i].Name, name, StringComparison.OrdinalIgnoreCase)) return i;
        }
        return -1;
    }

    /// <inheritdoc/>
    public IEnumerator<Field> GetEnumerator() => Fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>All fields, comma between.</summary>
    public override string ToString() => string.Join(", ", Fields);
}
