using Dataflow.Jobs;

namespace Dataflow.Scheduling;

/// <summary>What the Rdds of a stage ask of whoever runs its tasks.</summary>
/// <param name="Needs">What each task takes of its executor.</param>
/// <param name="Gang">The Rdds that are computed behind a barrier or made of such; tasks start together if there are any.</param>
internal sealed record StageWishes(ResourceProfile Needs, IReadOnlyList<Rdd> Gang)
{
    public static StageWishes None { get; } = new(ResourceProfile.Default, []);

    /// <summary>Why the stage can't run as it is asked to; null if it can.</summary>
    public JobFailure? Refusal { get; init; }

    /// <summary>Gathers the wishes of the Rdds that the tasks of a stage compute. Costs a walk over them where a program uses such wishes at all.</summary>
    /// <param name="stage">The stage's number, for what is said of it.</param>
    /// <param name="last">The stage's last Rdd.</param>
    /// <param name="partitions">Those of its partitions that are asked for; null if all are.</param>
    public static StageWishes Of(StageId stage, Rdd last, IReadOnlyList<int>? partitions)
    {
        if (!last.Context.HasStageWishes) return None;
        var lineage = StageGraph.NarrowLineage(last);
        var needs = ResourceProfile.Default;
        (string What, string Next)? refusal = null;
        if (lineage.Find(rdd => rdd.Resources is not null) is { } first)
        {
            needs = first.Resources!;
            if (lineage.Find(rdd => rdd.Resources is { } others && !others.Equals(needs)) is { } other)
            {
                refusal = ($"stage {stage} was asked for {needs} a task at {first} and for {other.Resources} at {other}",
                    "ask once in each stage: its tasks compute all of these Rdds together. A shuffle between them, such as Repartition, makes two stages.");
            }
        }
        var gang = BehindBarriers(lineage);
        if (gang.Count > 0) refusal ??= WhyNoGang(stage, last, gang, partitions);
        return new StageWishes(needs, [.. gang])
        {
            Refusal = refusal is var (what, next) ? new JobFailure(JobFailureKind.Stage, what) { Stage = stage, Where = last, Next = next } : null,
        };
    }

    private static HashSet<Rdd> BehindBarriers(List<Rdd> lineage)
    {
        var found = new HashSet<Rdd>(lineage.Where(rdd => rdd is { IsBarrier: true, HasCutLineage: false }), ReferenceEqualityComparer.Instance);
        if (found.Count == 0) return found;

        // Parents come first when the list, which has children first, is read from its end; a diamond needs another round.
        for (var count = -1; count != found.Count;)
        {
            count = found.Count;
            for (var i = lineage.Count - 1; i >= 0; i--)
            {
                if (NarrowParents(lineage[i]).Any(found.Contains)) found.Add(lineage[i]);
            }
        }
        return found;
    }

    /// <summary>Each task must pass each barrier once: else some would wait for partners that never come. What lies before a barrier may have
    /// any shape.</summary>
    private static (string What, string Next)? WhyNoGang(StageId stage, Rdd last, HashSet<Rdd> gang, IReadOnlyList<int>? partitions)
    {
        const string written = "Checkpoint the Rdd behind the barrier first: what is written down is read without it";
        var barrier = gang.First(rdd => rdd.IsBarrier);
        var count = last.PartitionCount;
        if (partitions is not null && (partitions.Count != count || partitions.Distinct().Count() != count))
        {
            var were = partitions.Count == 1 ? "was" : "were";
            return ($"barrier stage {stage} runs a task for each of its {count} partitions or none at all, but {partitions.Count} {were} asked for ({barrier})",
                $"use an action that reads every partition, such as Collect. Or {written}.");
        }
        if (gang.FirstOrDefault(rdd => rdd.PartitionCount != count) is { } other)
        {
            return ($"barrier stage {stage} can't run: each of its tasks must compute one partition of every Rdd from the barrier on, but {last} has {count} "
                + $"and {other} has {other.PartitionCount}",
                $"have a shuffle between them: Repartition in place of Coalesce, or Repartition before Union. Or {written}.");
        }
        if (gang.FirstOrDefault(rdd => NarrowParents(rdd).Count(gang.Contains) > 1) is { } both)
        {
            var parents = string.Join(" and ", NarrowParents(both).Where(gang.Contains));
            return ($"barrier stage {stage} can't run: {both} reads two Rdds that are each computed behind a barrier ({parents})",
                $"have a shuffle between one of them and this: Repartition. Or {written}.");
        }
        return null;
    }

    private static IEnumerable<Rdd> NarrowParents(Rdd rdd) =>
        rdd.LiveDependencies.Where(dependency => dependency is not ShuffleDependency).Select(dependency => dependency.Rdd);
}
