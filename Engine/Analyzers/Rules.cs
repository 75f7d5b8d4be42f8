using Microsoft.CodeAnalysis;

namespace Dataflow.Analyzers;

/// <summary>What the analyzer says, in the words of the engine's own errors. <c>docs/analyzers.md</c> has a section for each.</summary>
internal static class Rules
{
    /// <summary>The engine throws when the verb is called.</summary>
    public static readonly DiagnosticDescriptor Writes = Make(
        "DF0001", "A task writes a captured variable",
        "{0} writes {1} '{2}' ({3}). Each worker has its own copy{4}, so the driver would never see it. {5}.",
        "A task changes its own copy of what its lambda captured. What comes back is the task's result, or an accumulator.");

    /// <summary>The engine throws when the verb is called.</summary>
    public static readonly DiagnosticDescriptor UsesDriverOnly = Make(
        "DF0002", "A task uses a context or an Rdd",
        "{0} uses '{1}' ({2}) inside a task: {3}. {4}.",
        "Contexts and Rdds describe work; they live in the driver program, and tasks can't reach them.");

    /// <summary>Nobody throws: it may be meant. It often makes tasks large, or stops them from travelling.</summary>
    public static readonly DiagnosticDescriptor TakesThis = Make(
        "DF0003", "A task takes a whole object along",
        "{0} uses '{1}', so the whole {2} travels with it. {3}.",
        "A member of 'this' is reached through 'this': all fields of the object travel to every worker.");

    /// <summary>The engine throws when a job on a cluster starts.</summary>
    public static readonly DiagnosticDescriptor CannotTravel = Make(
        "DF0004", "A captured object can't travel",
        "{0} can't travel to an executor: it reads '{1}' ({2}), and {3}. {4}.",
        "What a lambda captures travels as data. What a process has open, runs, or draws from does not.");

    private static DiagnosticDescriptor Make(string id, string title, string message, string description) => new(
        id, title, message, "Dataflow", DiagnosticSeverity.Warning, isEnabledByDefault: true, description, $"docs/analyzers.md#{id.ToLowerInvariant()}");
}
