namespace Dataflow;

/// <summary>Says of a verb's delegate that the driver program calls it: it may use the context, and write what it captured.</summary>
/// <remarks>For verbs of contexts and Rdds in the engine, whose delegates run in tasks otherwise. Read by the analyzer in the package.</remarks>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class RunsInDriverAttribute : Attribute;
