namespace Dataflow.Closures;

/// <summary>Marks a type whose objects live in the driver program only and never travel to a task: contexts, Rdds.</summary>
/// <remarks>A lambda that reads a captured one is refused when the plan is built (<see cref="ClosureException"/>).</remarks>
public interface IDriverOnly;
