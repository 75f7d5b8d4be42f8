namespace Dataflow.MLlib.TreeExchange;

/// <summary>A model file can't be read: the message says what is wrong, where, and what to do.</summary>
public sealed class ModelFormatException : DataflowException
{
    internal ModelFormatException(string source, int line, string problem, Exception? inner = null)
        : base(line > 0 ? $"{source}, line {line}: {problem}" : $"{source}: {problem}", inner!)
        => (Source, Line) = (source, line);

    /// <summary>The line, counted from 1; 0 if the fault has no line.</summary>
    public int Line { get; }
}
