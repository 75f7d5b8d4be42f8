using Dataflow.Errors;

namespace Dataflow;

/// <summary>A job would bring more to the driver than <see cref="DataflowOptions.MaxResultBytes"/> allows. It is not tried again.</summary>
/// <param name="message">How much, and what to do instead.</param>
public sealed class ResultTooLargeException(string message) : Exception(message), IFinalError;
