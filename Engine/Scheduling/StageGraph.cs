namespace Dataflow.Scheduling;

/// <summary>Where the lineage of Rdds is cut into stages. Loops with stacks of their own: a loop may chain ten thousand Rdds.</summary>
internal static class StageGraph
{
    /// <summary>The shuffles that a stage ending in <paramref name="root"/> reads, in the order of its lineage.</summary>
    /// <param name="root">The stage's last Rdd.</param>
    /// <param name="stopsAt">Rdds below which nothing needs to be read, such as cached ones.</param>
    public static List<ShuffleDependency> ShufflesReadBy(Rdd root, Func<Rdd, bool> stopsAt)
    {
        var found = new List<ShuffleDependency>();
        var shuffles = new HashSet<ShuffleId>();
        foreach (var rdd in NarrowLineage(root, stopsAt))
        {
            foreach (var dependency in rdd.LiveDependencies)
            {
                if (dependency is ShuffleDependency shuffle && shuffles.Add(shuffle.ShuffleId)) found.Add(shuffle);
            }
        }
        return found;
    }

    /// <summary>The Rdds that the tasks of a stage compute: <paramref name="root"/> and what it reads without a shuffle, children first.</summary>
    public static List<Rdd> NarrowLineage(Rdd root, Func<Rdd, bool>? stopsAt = null)
    {
        var rdds = new List<Rdd>();
        var seen = new HashSet<Rdd>(ReferenceEqualityComparer.Instance);
        var stack = new Stack<Rdd>();
        stack.Push(root);
        while (stack.TryPop(out var rdd))
        {
            if (!seen.Add(rdd) || stopsAt?.Invoke(rdd) == true) continue;
            rdds.Add(rdd);
            var dependencies = rdd.LiveDependencies;
            for (var i = dependencies.Count - 1; i >= 0; i--)
            {
                if (dependencies[i] is not ShuffleDependency) stack.Push(dependencies[i].Rdd);
            }
        }
        return rdds;
    }

    /// <summary>The map stages that a job needs and that are not done, parents before their children.</summary>
    /// <param name="root">The last Rdd.</param>
    /// <param name="stopsAt">Rdds below which nothing needs to be read.</param>
    /// <param name="isDone">Shuffles whose outputs are all there; they are given, but what is below them is not.</param>
    public static List<ShuffleDependency> Order(Rdd root, Func<Rdd, bool> stopsAt, Func<ShuffleDependency, bool> isDone)
    {
        var order = new List<ShuffleDependency>();
        var seen = new HashSet<ShuffleId>();
        var stack = new Stack<(ShuffleDependency? Shuffle, List<ShuffleDependency> Parents, int Next)>();
        stack.Push((null, ShufflesReadBy(root, stopsAt), 0));
        while (stack.TryPop(out var top))
        {
            if (top.Next == top.Parents.Count)
            {
                if (top.Shuffle is { } shuffle) order.Add(shuffle);
                continue;
            }
            stack.Push(top with { Next = top.Next + 1 });
            var parent = top.Parents[top.Next];
            if (!seen.Add(parent.ShuffleId)) continue;
            stack.Push((parent, isDone(parent) ? [] : ShufflesReadBy(parent.Rdd, stopsAt), 0));
        }
        return order;
    }
}
