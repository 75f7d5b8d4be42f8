namespace Dataflow;

/// <summary>Every knob of an application, with its unit and default.</summary>
public sealed record DataflowOptions
{
    /// <summary>The defaults.</summary>
    public static DataflowOptions Default { get; } = new();

    /// <summary>How the application calls itself on pages and in logs. Default: the name of the entry assembly.</summary>
    public string Name { get; init; } = System.Reflection.Assembly.GetEntryAssembly()?.GetName().Name ?? "dataflow";

    /// <summary>How often a task is tried before its job fails. Default 4.</summary>
    public int TaskMaxAttempts { get; init; } = 4;

    /// <summary>How often a stage is run before its job fails. Default 4.</summary>
    public int StageMaxAttempts { get; init; } = 4;

    /// <summary>Whether element-by-element verbs are compiled into one loop. False runs each by itself: slower, easier to debug. Default true.</summary>
    public bool Fusion { get; init; } = true;
}
