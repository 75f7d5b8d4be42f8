namespace Dataflow.MLlib;

/// <summary>A saved model can't be read: it is something else, of a later version, or damaged. The message says what is wrong, where, and what to do.</summary>
public sealed class ModelFormatException : DataflowException
{
    /// <summary>Says what is wrong.</summary>
    /// <param name="message">What, where, and what to do.</param>
    /// <param name="cause">What was caught.</param>
    public ModelFormatException(string message, Exception? cause = null) : base(message, cause) { }

    internal ModelFormatException(string source, int line, string problem, Exception? cause = null)
        : base(line > 0 ? $"{source}, line {line}: {problem}" : $"{source}: {problem}", cause) => Line = line;

    /// <summary>The line of a text file, counted from 1; 0 if the fault has no line.</summary>
    public int Line { get; }
}
