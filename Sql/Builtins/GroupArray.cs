namespace Dataflow.Sql.Builtins;

/// <summary>A value a group, zero at first.</summary>
internal sealed class GroupArray<T>
{
    private int _groups;

    public T[] Items { get; private set; } = [];

    public void Grow(int groups)
    {
        _groups = groups;
        if (groups <= Items.Length) return;
        var grown = new T[groups];
        Items.AsSpan().CopyTo(grown);
        Items = grown;
    }

    /// <summary>Forgets all groups; memory is kept, since a table is filled again and again.</summary>
    public void Clear()
    {
        Items.AsSpan(0, _groups).Clear();
        _groups = 0;
    }
}
