namespace Dataflow.Errors;

/// <summary>Marks an exception that would be thrown again however often a task were tried: its job fails at once. For errors of data and code,
/// not for those of machines.</summary>
public interface IFinalError;
