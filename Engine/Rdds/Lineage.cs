namespace Dataflow;

/// <summary>Walks over the graph of Rdds with a stack of its own: a loop may chain ten thousand of them.</summary>
internal static class Lineage
{
    /// <summary>Works out the partitions of an Rdd after those of all it reads.</summary>
    public static Partition[] PartitionsOf(Rdd rdd)
    {
        Visit(rdd, r => r.KnownPartitions is not null, r =>
        {
            // A subclass may have asked for them while it worked out its own.
            if (r.KnownPartitions is null)
            {
                var partitions = r.GetPartitions();
                for (var i = 0; i < partitions.Length; i++)
                {
                    if (partitions[i].Index != i)
                        throw new InvalidOperationException($"{r} gave partition {i} the index {partitions[i].Index}; indices count from 0.");
                }
                r.KnownPartitions = partitions;
            }
        });
        return rdd.KnownPartitions!;
    }

    /// <summary>Gets all shuffles ready that an Rdd reads, those of its sources first.</summary>
    public static Task PrepareAsync(Rdd rdd, CancellationToken cancellationToken)
    {
        return rdd.IsPrepared ? Task.CompletedTask : Prepare();

        async Task Prepare()
        {
            var lineage = new List<Rdd>();
            Visit(rdd, r => r.IsPrepared, lineage.Add);
            foreach (var one in lineage)
            {
                foreach (var dependency in one.Dependencies)
                {
                    if (dependency is ShuffleDependency shuffle) await shuffle.PrepareAsync(cancellationToken).ConfigureAwait(false);
                }
                one.IsPrepared = true;
            }
        }
    }

    public static Determinacy DeterminacyOf(Rdd rdd)
    {
        Visit(rdd, r => r.KnownDeterminacy is not null, r =>
        {
            var worst = Determinacy.Determinate;
            foreach (var dependency in r.Dependencies)
            {
                var parent = dependency.Rdd.KnownDeterminacy ?? Determinacy.Determinate;
                if (parent > worst) worst = parent;
            }
            r.KnownDeterminacy = r.GetDeterminacy(worst);
        });
        return rdd.KnownDeterminacy!.Value;
    }

    /// <summary>The Rdds that a stage computes, each after those it reads.</summary>
    /// <param name="last">The last Rdd of the stage.</param>
    public static List<Rdd> NarrowFromSources(Rdd last)
    {
        var lineage = new List<Rdd>();
        Visit(last, static _ => false, lineage.Add, acrossShuffles: false);
        return lineage;
    }

    /// <summary>Calls <paramref name="visit"/> on each Rdd below and including <paramref name="root"/>, parents first.</summary>
    public static void Visit(Rdd root, Func<Rdd, bool> isDone, Action<Rdd> visit, bool acrossShuffles = true)
    {
        var seen = new HashSet<Rdd>(ReferenceEqualityComparer.Instance);
        var stack = new Stack<(Rdd Rdd, bool Expanded)>();
        stack.Push((root, false));
        while (stack.TryPop(out var top))
        {
            if (top.Expanded)
            {
                visit(top.Rdd);
                continue;
            }
            if (isDone(top.Rdd) || !seen.Add(top.Rdd)) continue;
            stack.Push((top.Rdd, true));
            var dependencies = top.Rdd.LiveDependencies;
            for (var i = dependencies.Count - 1; i >= 0; i--)
            {
                if (acrossShuffles || dependencies[i] is not ShuffleDependency) stack.Push((dependencies[i].Rdd, false));
            }
        }
    }
}
