using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Groups;

/// <summary>One thing that is kept of a group.</summary>
/// <param name="slot">Which of the names it stands under.</param>
/// <param name="part">What tells it from others of that name: an index, a key of a map, the time of a timer. Empty where there is one only.</param>
/// <param name="row">Its row in the state; -1 for none yet.</param>
internal sealed class GroupEntry(int slot, byte[] part, int row)
{
    public int Slot => slot;

    public byte[] Part => part;

    public int Row => row;

    /// <summary>The value; null where there is none, only a time.</summary>
    public byte[]? Value { get; set; }

    public long Time { get; set; }

    public GroupDue Due { get; set; }

    public bool IsChanged { get; set; }

    public bool IsGone { get; set; }

    /// <summary>Whether it goes into the state, or is forgotten there.</summary>
    public bool IsToKeep => IsChanged && !(IsGone && Row < 0);
}

/// <summary>What is kept of the group that a function is called for. Read from the state when it is first asked for; what changed goes there when the calls for the group are over.</summary>
/// <param name="names">The names that things stand under.</param>
/// <param name="clock">The times of the batch.</param>
internal sealed class GroupEntries(GroupNames names, GroupClock clock)
{
    // From how many on they are looked up.
    private const int Few = 8;

    private readonly List<GroupEntry> _all = [];
    private readonly Dictionary<PartKey, GroupEntry> _byPart = [];
    private GroupTable? _table;
    private int _first = -1;

    public GroupClock Clock => clock;

    /// <summary>Shapes that values had in earlier starts of the query.</summary>
    public string[] Earlier { get; init; } = [];

    /// <summary>Begins a group.</summary>
    /// <param name="table">The state; null where there is none.</param>
    /// <param name="row">Its newest row there; -1 for none.</param>
    public void Begin(GroupTable? table, int row)
    {
        _all.Clear();
        _byPart.Clear();
        (_table, _first) = (table, row);
    }

    /// <summary>All that is there and is not over.</summary>
    public IEnumerable<GroupEntry> All
    {
        get
        {
            if (_first >= 0) ReadAll();
            return _all.Where(Counts);
        }
    }

    public GroupEntry? Find(int slot, ReadOnlySpan<byte> part)
    {
        if (_first >= 0) ReadAll();
        if (_all.Count > Few) return Look(slot, part);
        foreach (var entry in _all)
        {
            if (entry.Slot == slot && Counts(entry) && part.SequenceEqual(entry.Part)) return entry;
        }
        return null;
    }

    public GroupEntry Add(int slot, byte[] part)
    {
        // What is over may lie there still.
        var entry = new GroupEntry(slot, part, -1) { IsChanged = true };
        if (_first >= 0) ReadAll();
        _all.Add(entry);
        if (_byPart.Count > 0) _byPart[new PartKey(slot, part)] = entry;
        return entry;
    }

    public void Changed(GroupEntry entry) => entry.IsChanged = true;

    public void Remove(GroupEntry entry) => (entry.IsGone, entry.IsChanged) = (true, true);

    /// <summary>What was read or came, whether it changed or not.</summary>
    public List<GroupEntry> Read => _all;

    private void ReadAll()
    {
        _table!.Read(_first, names, _all);
        _first = -1;
    }

    private bool Counts(GroupEntry entry) => !entry.IsGone && (entry.Due != GroupDue.Expiry || entry.Time > clock.Now);

    private GroupEntry? Look(int slot, ReadOnlySpan<byte> part)
    {
        if (_byPart.Count == 0)
        {
            foreach (var entry in _all)
            {
                if (Counts(entry)) _byPart[new PartKey(entry.Slot, entry.Part)] = entry;
            }
        }
        return _byPart.TryGetValue(new PartKey(slot, part.ToArray()), out var found) && Counts(found) ? found : null;
    }

    private readonly struct PartKey(int slot, byte[] part) : IEquatable<PartKey>
    {
        private readonly int _slot = slot;
        private readonly byte[] _part = part;

        public bool Equals(PartKey other) => _slot == other._slot && _part.AsSpan().SequenceEqual(other._part);

        public override bool Equals(object? other) => other is PartKey key && Equals(key);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            hash.Add(_slot);
            hash.AddBytes(_part);
            return hash.ToHashCode();
        }
    }
}

/// <summary>The names that things are kept under.</summary>
/// <param name="names">The names.</param>
internal sealed class GroupNames(string[] names)
{
    private readonly byte[][] _bytes = [.. names.Select(System.Text.Encoding.UTF8.GetBytes)];

    public string this[int slot] => names[slot];

    public int Find(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _bytes.Length; i++)
        {
            if (name.SequenceEqual(_bytes[i])) return i;
        }
        return -1;
    }
}
