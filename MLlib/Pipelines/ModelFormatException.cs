using Dataflow.Errors;

namespace Dataflow.MLlib;

/// <summary>A saved model can't be read: it is something else, of a later version, or damaged.</summary>
public sealed class ModelFormatException : DataflowException
{
    /// <summary>Says what is wrong.</summary>
    /// <param name="message">What, where, and what to do.</param>
    /// <param name="cause">What was caught.</param>
    public ModelFormatException(string message, Exception? cause = null) : base(message, cause) { }
}
