namespace Dataflow;

/// <summary>Output can't be written: something is there already, the folder can't be written to, or the disk is full.</summary>
/// <remarks>The message names the full path, what is wrong with it, and what to do next. Nothing that looks finished is left behind.</remarks>
public sealed class OutputException : IOException
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">What is wrong, where, and what to do next.</param>
    /// <param name="path">The file or folder, in full.</param>
    /// <param name="inner">The error that revealed it, if any.</param>
    public OutputException(string message, string path, Exception? inner = null)
        : base(message, inner) => Path = path;

    /// <summary>The file or folder, in full.</summary>
    public string Path { get; }
}
