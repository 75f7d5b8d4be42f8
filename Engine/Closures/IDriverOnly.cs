namespace Dataflow.Closures;

/// <summary>Marks a type whose objects live in the driver program only and never travel to a task: contexts, Rdds.</summary>
public interface IDriverOnly;
