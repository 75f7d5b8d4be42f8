namespace Dataflow.Shuffle;

/// <summary>A file that segments lie in, as its readers need it.</summary>
internal interface ISegmentFile
{
    string Path { get; }

    /// <summary>Fills <paramref name="destination"/>. Called from any thread.</summary>
    /// <exception cref="CorruptDataException">The file ends before that.</exception>
    /// <exception cref="TempFolderException">The file is gone, or the disk fails.</exception>
    void Read(long offset, Span<byte> destination);
}
