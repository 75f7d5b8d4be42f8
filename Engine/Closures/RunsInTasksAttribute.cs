namespace Dataflow;

/// <summary>Says of a delegate that a method takes that it is given on to a verb and runs in tasks.</summary>
/// <remarks>For methods of one's own around Dataflow's verbs: the analyzer in the package then looks at the lambdas given to them as it does
/// at those given to <c>Map</c>. It changes nothing when the program runs.</remarks>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class RunsInTasksAttribute : Attribute;
