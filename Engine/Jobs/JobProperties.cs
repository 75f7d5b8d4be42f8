namespace Dataflow.Jobs;

/// <summary>What a program may say of a job: who it belongs to, how it is called, where it queues.</summary>
public sealed record JobProperties
{
    /// <summary>Nothing said.</summary>
    public static JobProperties None { get; } = new();

    /// <summary>The group, by which several jobs are cancelled together; or null.</summary>
    public string? Group { get; init; }

    /// <summary>A text for people; or null.</summary>
    public string? Description { get; init; }

    /// <summary>Name of the pool it queues in when pools share fairly; null means <c>default</c>.</summary>
    public string? Pool { get; init; }

    /// <summary>Tags, by any of which jobs are cancelled together.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Where the action was written; or null.</summary>
    public CallSite? CallSite { get; init; }
}
