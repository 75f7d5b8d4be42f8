using Dataflow.Streaming.Stored;

namespace Dataflow.Streaming.Groups;

/// <summary>Values of one type under one name.</summary>
/// <param name="slot">The name.</param>
/// <typeparam name="T">The type.</typeparam>
internal sealed class GroupCell<T>(int slot)
{
    private readonly StoredCodec<T> _codec = StoredCodec<T>.Default;

    public int Slot => slot;

    public GroupEntry? Find(GroupEntries entries, ReadOnlySpan<byte> part) => entries.Find(slot, part);

    public GroupEntry FindOrAdd(GroupEntries entries, byte[] part) => entries.Find(slot, part) ?? entries.Add(slot, part);

    public byte[] Encode(T value) => _codec.Encode(value);

    public T Decode(byte[] bytes, GroupEntries entries) => _codec.Decode(bytes, entries.Earlier);
}
