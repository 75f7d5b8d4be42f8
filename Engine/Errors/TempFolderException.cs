namespace Dataflow;

/// <summary>Temporary data could not be written: the disk is full, or the folder can't be written to.</summary>
/// <remarks>The message names the folder, its free space, and <see cref="DataflowOptions.TempFolder"/>, which moves it.</remarks>
public sealed class TempFolderException : DataflowException
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">What failed, where, how much space is left, and what to do next.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="freeBytes">Bytes left on its disk, or null if that could not be told.</param>
    /// <param name="inner">What the system said.</param>
    public TempFolderException(string message, string folder, long? freeBytes, Exception? inner = null)
        : base(message, inner)
    {
        Folder = folder;
        FreeBytes = freeBytes;
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>Bytes left on its disk, or null if that could not be told.</summary>
    public long? FreeBytes { get; }
}
