using Dataflow.Errors;

namespace Dataflow;

/// <summary>A lambda given to a verb can't do its work inside a task: it writes a captured variable, uses what lives in the driver only, or captured what can't travel.</summary>
/// <remarks>Thrown when the plan is built, by the verb that was given the lambda, or, for what can't travel, when the job starts; the message names the verb's place and what to do instead.</remarks>
public sealed class ClosureException : InvalidOperationException, IFinalError
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">What the lambda does, where it is written, and what to do instead.</param>
    /// <param name="site">The verb that was given the lambda.</param>
    public ClosureException(string message, CallSite site)
        : base(message) => Site = site;

    /// <summary>The verb that was given the lambda, and its place in the user's program.</summary>
    public CallSite Site { get; }
}
