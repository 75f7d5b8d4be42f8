namespace Dataflow;

/// <summary>Data to be read is not there, can't be read, or is not what it was when the job was planned.</summary>
/// <remarks>The message names the full path, what is wrong with it, and what to do next.</remarks>
public sealed class InputException : IOException
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">What is wrong, where, and what to do next.</param>
    /// <param name="path">The file or folder, in full.</param>
    /// <param name="inner">The error that revealed it, if any.</param>
    public InputException(string message, string path, Exception? inner = null)
        : base(message, inner) => Path = path;

    /// <summary>The file or folder, in full.</summary>
    public string Path { get; }
}
