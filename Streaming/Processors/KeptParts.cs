using Dataflow.Streaming.Groups;

namespace Dataflow.Streaming.Processors;

/// <summary>The values of a group under one name.</summary>
/// <param name="entries">What is kept of the group; null where no group is seen to.</param>
/// <param name="cell">The name.</param>
/// <param name="life">How long a value counts, in microseconds; null for ever.</param>
internal sealed class KeptParts<T>(GroupEntries? entries, GroupCell<T> cell, long? life)
{
    /// <summary>Those that count, in the order in which they were set.</summary>
    public IEnumerable<GroupEntry> All => Entries.All.Where(entry => entry.Slot == cell.Slot);

    private GroupEntries Entries => entries ?? throw new InvalidOperationException("State is kept of groups, and none is seen to: Init only names what is kept. Use it in HandleRows and HandleExpiredTimer.");

    public GroupEntry? Find(ReadOnlySpan<byte> part) => cell.Find(Entries, part);

    public T Read(GroupEntry entry) => cell.Decode(entry.Value!, Entries);

    public void Set(byte[] part, T value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var entry = cell.FindOrAdd(Entries, part);
        entry.Value = cell.Encode(value);
        if (life is { } after) (entry.Time, entry.Due) = (Entries.Clock.Now + after, GroupDue.Expiry);
        else (entry.Time, entry.Due) = (0, GroupDue.None);
        Entries.Changed(entry);
    }

    public void Remove(ReadOnlySpan<byte> part)
    {
        if (Find(part) is { } entry) Entries.Remove(entry);
    }

    public void Clear()
    {
        foreach (var entry in All.ToArray()) Entries.Remove(entry);
    }
}
