namespace Dataflow;

/// <summary>Stored or sent bytes are not what was written: cut short, changed, or of another kind.</summary>
/// <remarks>The message says what was expected and what was found. A task that meets it reads another copy or recomputes the data.</remarks>
public sealed class CorruptDataException : Exception
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">What was expected, what was found, and where.</param>
    /// <param name="inner">The error that revealed it, if any.</param>
    public CorruptDataException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Makes the exception of a known format, and its message from the parts.</summary>
    /// <param name="format">What the bytes were read as, such as <c>lz4</c>.</param>
    /// <param name="offset">Bytes from the start of the block or file to where the trouble showed itself.</param>
    /// <param name="problem">What is wrong there, with the values; a clause without a full stop.</param>
    /// <param name="path">The file, when it is known.</param>
    /// <param name="inner">The error that revealed it, if any.</param>
    public CorruptDataException(string format, long offset, string problem, string? path = null, Exception? inner = null)
        : base(Explain(format, offset, problem, path), inner)
    {
        Format = format;
        Offset = offset;
        Problem = problem;
        Path = path;
    }

    /// <summary>What the bytes were read as, such as <c>lz4</c>; null when the message alone says it.</summary>
    public string? Format { get; }

    /// <summary>Bytes from the start of the block or file to where the trouble showed itself, or null. The damage may lie before it.</summary>
    public long? Offset { get; }

    /// <summary>What is wrong there, with the values; null when the message alone says it.</summary>
    public string? Problem { get; }

    /// <summary>The file, or null when the bytes came from memory or from another host.</summary>
    public string? Path { get; }

    private static string Explain(string format, long offset, string problem, string? path) =>
        $"Corrupt {format} data{(path is null ? "" : $" in {path}")} at byte {offset:N0}: {problem}.\n"
        + (path is null
            ? "  next: read the block again or compute it anew; it was damaged or cut short, or something else wrote it."
            : $"  next: check that the file is whole and really is {format}, then write it anew; it was damaged or cut short, or something else wrote it.");
}
