using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>
/// Numbers distinct keys from 0 in the order they are met: what grouping, joins and sets are made of. Nulls are equal to each other; who wants
/// them not to match leaves such rows out.
/// </summary>
/// <remarks>Linear probing. Used by one thread at a time; finding in a table that nobody adds to may be done by several.</remarks>
internal abstract class KeyTable
{
    private DictionaryMemo? _memo;

    protected KeyTable(TaskArena arena, IReadOnlyList<DataType> types)
    {
        Arena = arena;
        Keys = new RowStore(arena, types);
        BytesPerKey = 40 + types.Sum(type => Math.Max(1, type.ByteWidth));
    }

    /// <summary>Distinct keys.</summary>
    public int Count => Keys.Count;

    /// <summary>About how many bytes a key takes beside its text: columns, and slots that are at most half full.</summary>
    public int BytesPerKey { get; }

    /// <summary>The keys, by number.</summary>
    public RowStore Keys { get; }

    protected TaskArena Arena { get; }

    /// <summary>A table for keys of some types.</summary>
    /// <param name="arena">Its memory.</param>
    /// <param name="types">The types.</param>
    /// <param name="layout">How keys of known ranges lie; null if none are known.</param>
    public static KeyTable For(TaskArena arena, IReadOnlyList<DataType> types, KeyLayout? layout = null) => layout switch
    {
        { IsDense: true } => new DenseKeyTable(arena, types, layout.Ranges),
        { IsDense: false } => new PackedKeyTable(arena, types, layout.Ranges),
        _ => KeyPacker.Fits(types) ? new PackedKeyTable(arena, types) : new GeneralKeyTable(arena, types),
    };

    /// <summary>Finds keys, adding those that are new.</summary>
    /// <param name="keys">The key columns of a batch.</param>
    /// <param name="rows">Which of its rows.</param>
    /// <param name="numbers">The number of the key of each of these rows.</param>
    public void FindOrAdd(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> numbers)
    {
        if (keys.Length > 0 && keys[0].Form == VectorForm.Dictionary && (_memo ??= new DictionaryMemo()).TryBegin(keys, rows, out var missing, out var missingNumbers))
        {
            if (missing.Length > 0) Look(keys, missing, missingNumbers, add: true);
            _memo.End(rows, numbers);
            return;
        }
        Look(keys, rows, numbers, add: true);
    }

    /// <summary>Finds keys; -1 for those that are not there.</summary>
    public void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> numbers) => Look(keys, rows, numbers, add: false);

    /// <summary>Takes memory for so many keys at once, where about so many will come.</summary>
    public virtual void Reserve(int keys) => Keys.Reserve(keys);

    /// <summary>Forgets all keys; memory is kept.</summary>
    public virtual void Clear()
    {
        Keys.Clear();
        _memo?.Forget();
    }

    protected static QueryException KeyOutside(KeyRange[] ranges) =>
        new("CORRUPT_STATISTICS", $"A key lies outside the bounds that its table states ({string.Join(", ", ranges)}). Write the table's files anew.");

    protected abstract void Look(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> numbers, bool add);
}
