namespace Dataflow.Sql.Builtins;

/// <summary>A value a group, zero at first.</summary>
internal sealed class GroupArray<T>
{
    public T[] Items { get; private set; } = [];

    public void Grow(int groups)
    {
        if (groups <= Items.Length) return;
        var grown = new T[Math.Max(groups, Math.Min(Items.Length * 2L, Array.MaxLength))];
        Items.AsSpan().CopyTo(grown);
        Items = grown;
    }

    public void Clear() => Items = [];
}
