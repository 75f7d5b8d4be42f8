namespace Dataflow.TaskScheduling;

/// <summary>The named resources of one executor: which addresses it offers under each name, and how much of each is free.</summary>
internal sealed class NamedResources
{
    // Shares are counted in millionths: sums of parts must come out even.
    private const long Whole = 1_000_000;

    private readonly Dictionary<string, (string[] Addresses, long[] Free)> _offered = new(StringComparer.Ordinal);

    public NamedResources(IReadOnlyDictionary<string, IReadOnlyList<string>> offered)
    {
        foreach (var (name, addresses) in offered)
        {
            var free = new long[addresses.Count];
            Array.Fill(free, Whole);
            _offered.Add(name, ([.. addresses], free));
        }
    }

    /// <summary>How many more tasks can have what they need.</summary>
    /// <param name="needs">What one of them takes.</param>
    /// <param name="whenIdle">Counts what running tasks hold as free.</param>
    public int Room(ResourceProfile needs, bool whenIdle)
    {
        var room = int.MaxValue;
        foreach (var (name, amount) in needs.Named)
        {
            if (!_offered.TryGetValue(name, out var offer)) return 0;
            var here = 0L;
            var share = ShareOf(amount);
            foreach (var free in offer.Free) here += (whenIdle ? Whole : free) / share;
            room = (int)Math.Min(room, amount > 1 ? here / (long)amount : here);
        }
        return room;
    }

    /// <summary>Takes what one task needs; there must be room for it.</summary>
    public ResourceShare[] Take(ResourceProfile needs)
    {
        var shares = new List<ResourceShare>();
        foreach (var (name, amount) in needs.Named)
        {
            var (addresses, free) = _offered[name];
            var share = ShareOf(amount);
            for (var left = Math.Max(1, (long)amount); left > 0; left--)
            {
                // The fullest address that will do: whole ones stay for those who need them whole.
                var best = -1;
                for (var i = 0; i < free.Length; i++)
                {
                    if (free[i] >= share && (best < 0 || free[i] < free[best])) best = i;
                }
                free[best] -= share;
                shares.Add(new ResourceShare(name, addresses[best], best, share));
            }
        }
        return [.. shares];
    }

    public void Return(ResourceShare[] shares)
    {
        foreach (var share in shares) _offered[share.Name].Free[share.Index] += share.Millionths;
    }

    /// <summary>As errors say it: <c>2 gpu and 1 fpga</c>.</summary>
    public override string ToString() => string.Join(
        " and ", _offered.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Value.Addresses.Length} {pair.Key}"));

    private static long ShareOf(double amount) => amount >= 1 ? Whole : Math.Max(1, (long)(amount * Whole));
}

/// <summary>What a task holds of one address.</summary>
internal readonly record struct ResourceShare(string Name, string Address, int Index, long Millionths)
{
    /// <summary>The addresses by name, as tasks see them.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Addresses(ResourceShare[] shares) => shares
        .GroupBy(share => share.Name)
        .ToDictionary(group => group.Key, group => (IReadOnlyList<string>)[.. group.Select(share => share.Address)], StringComparer.Ordinal);
}
