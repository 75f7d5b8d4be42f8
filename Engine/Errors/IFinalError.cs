namespace Dataflow.Errors;

/// <summary>Marks an exception that would be thrown again however often a task were tried: its job fails at once.</summary>
internal interface IFinalError;
