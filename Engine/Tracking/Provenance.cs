using Dataflow.Scheduling;

namespace Dataflow.Tracking;

/// <summary>Something that outlives the job that made it: the outputs of a shuffle, or the cached partitions of an Rdd.</summary>
internal readonly record struct Kept(bool IsShuffle, int Id)
{
    public static Kept Of(ShuffleId shuffle) => new(true, shuffle.Value);

    public static Kept Of(Rdd rdd) => new(false, rdd.Id);
}

/// <summary>
/// What is kept between jobs and what each was made from: when rows are made anew and may differ, all that was made from the old ones is
/// found, whichever job made it.
/// </summary>
internal sealed class Provenance
{
    private readonly Dictionary<Kept, HashSet<Kept>> _readers = [];
    private readonly Dictionary<Kept, HashSet<Kept>> _reads = [];

    public int Count => _reads.Count;

    /// <summary>Notes what a shuffle is made from.</summary>
    public void Add(ShuffleDependency shuffle)
    {
        var pending = new Stack<Rdd>();
        Add(Kept.Of(shuffle.ShuffleId), shuffle.Rdd, includesRoot: true, pending);
        AddPending(pending);
    }

    /// <summary>What an Rdd reads: shuffles, and kept Rdds, which stand for what is below them. Notes what those are made from.</summary>
    public HashSet<Kept> ReadBy(Rdd rdd)
    {
        var pending = new Stack<Rdd>();
        var reads = Walk(rdd, includesRoot: true, pending);
        AddPending(pending);
        return reads;
    }

    /// <summary>Everything that was made from a shuffle, directly or not.</summary>
    public HashSet<Kept> MadeFrom(ShuffleId shuffle)
    {
        var found = new HashSet<Kept>();
        var stack = new Stack<Kept>();
        stack.Push(Kept.Of(shuffle));
        while (stack.TryPop(out var node))
        {
            if (!_readers.TryGetValue(node, out var readers)) continue;
            foreach (var reader in readers)
            {
                if (found.Add(reader)) stack.Push(reader);
            }
        }
        return found;
    }

    /// <summary>Forgets what is kept no more. What was made from it counts as made from what it was made from.</summary>
    public void Remove(Kept gone)
    {
        _readers.Remove(gone, out var readers);
        _reads.Remove(gone, out var reads);
        foreach (var parent in reads ?? [])
        {
            if (!_readers.TryGetValue(parent, out var siblings)) continue;
            siblings.Remove(gone);
            siblings.UnionWith(readers ?? []);
            if (siblings.Count == 0) _readers.Remove(parent);
        }
        foreach (var reader in readers ?? [])
        {
            if (!_reads.TryGetValue(reader, out var its)) continue;
            its.Remove(gone);
            its.UnionWith(reads ?? []);
        }
    }

    private void AddPending(Stack<Rdd> pending)
    {
        while (pending.TryPop(out var rdd)) Add(Kept.Of(rdd), rdd, includesRoot: false, pending);
    }

    private void Add(Kept node, Rdd root, bool includesRoot, Stack<Rdd> pending)
    {
        if (_reads.ContainsKey(node)) return;
        var reads = Walk(root, includesRoot, pending);
        _reads.Add(node, reads);
        foreach (var read in reads)
        {
            if (!_readers.TryGetValue(read, out var readers)) _readers[read] = readers = [];
            readers.Add(node);
        }
    }

    private HashSet<Kept> Walk(Rdd root, bool includesRoot, Stack<Rdd> pending)
    {
        var reads = new HashSet<Kept>();
        foreach (var rdd in StageGraph.NarrowLineage(root, StandsForItsParents))
        {
            foreach (var dependency in rdd.LiveDependencies)
            {
                if (dependency is ShuffleDependency shuffle) reads.Add(Kept.Of(shuffle.ShuffleId));
            }
        }
        return reads;

        bool StandsForItsParents(Rdd rdd)
        {
            if (!rdd.StorageLevel.IsKept || (rdd == root && !includesRoot)) return false;
            var node = Kept.Of(rdd);
            reads.Add(node);
            if (!_reads.ContainsKey(node)) pending.Push(rdd);
            return true;
        }
    }
}
