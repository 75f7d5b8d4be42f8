namespace Dataflow.Scheduling;

/// <summary>What the Rdds of a stage ask of whoever runs its tasks.</summary>
/// <param name="Needs">What each task takes of its executor.</param>
internal sealed record StageWishes(ResourceProfile Needs)
{
    public static StageWishes None { get; } = new(ResourceProfile.Default);

    /// <summary>Why the stage can't run as it is asked to; null if it can.</summary>
    public JobFailure? Refusal { get; init; }

    /// <summary>Gathers the wishes of the Rdds that the tasks of a stage compute. Costs a walk over them where a program uses such wishes at all.</summary>
    /// <param name="stage">The stage's number, for what is said of it.</param>
    /// <param name="last">The stage's last Rdd.</param>
    public static StageWishes Of(StageId stage, Rdd last)
    {
        if (!last.Context.HasStageWishes) return None;
        var lineage = StageGraph.NarrowLineage(last);
        var wishing = lineage.FindAll(rdd => rdd.Resources is not null);
        var wishes = new StageWishes(wishing.Count == 0 ? ResourceProfile.Default : wishing[0].Resources!);
        if (wishing.Find(rdd => !rdd.Resources!.Equals(wishes.Needs)) is { } other)
        {
            return wishes with
            {
                Refusal = new JobFailure(
                    JobFailureKind.Stage, $"stage {stage} was asked for {wishes.Needs} a task at {wishing[0]} and for {other.Resources} at {other}")
                {
                    Stage = stage,
                    Where = last,
                    Next = "ask once in each stage: its tasks compute all of these Rdds together. A shuffle between them, such as Repartition, makes two stages.",
                },
            };
        }
        return wishes;
    }
}
