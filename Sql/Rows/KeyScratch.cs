using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>What one look into a table needs, kept by thread: several may look at one table at once.</summary>
internal sealed class KeyScratch
{
    [ThreadStatic]
    private static KeyScratch? _free;

    public readonly int[] Places = new int[ColumnBatch.MaxRows];
    public readonly ulong[] Packed = new ulong[ColumnBatch.MaxRows];
    public readonly ulong[] Hashes = new ulong[ColumnBatch.MaxRows];
    public readonly ushort[] Added = new ushort[ColumnBatch.MaxRows];

    public static KeyScratch Rent()
    {
        var scratch = _free ?? new KeyScratch();
        _free = null;
        return scratch;
    }

    public void Return() => _free = this;
}
