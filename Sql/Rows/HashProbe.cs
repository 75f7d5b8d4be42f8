using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>What one look into a table of hashes needs, kept by thread: several may look at one table at once.</summary>
internal sealed class HashProbe
{
    [ThreadStatic]
    private static HashProbe? _free;

    /// <summary>A hash a row.</summary>
    public readonly ulong[] Hashes = new ulong[ColumnBatch.MaxRows];

    /// <summary>The slot that each row has come to.</summary>
    public readonly int[] Places = new int[ColumnBatch.MaxRows];

    /// <summary>Rows that are still looked for.</summary>
    public readonly int[] Pending = new int[ColumnBatch.MaxRows];

    /// <summary>Rows whose hash is that of a slot, and whose key is to be compared.</summary>
    public readonly int[] Candidates = new int[ColumnBatch.MaxRows];

    /// <summary>What each row was found as.</summary>
    public readonly int[] Found = new int[ColumnBatch.MaxRows];

    /// <summary>Rows that are added.</summary>
    public readonly ushort[] Added = new ushort[ColumnBatch.MaxRows];

    public static HashProbe Rent()
    {
        var probe = _free ?? new HashProbe();
        _free = null;
        return probe;
    }

    public void Return() => _free = this;
}
