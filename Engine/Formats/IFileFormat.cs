namespace Dataflow.Formats;

/// <summary>How elements become the bytes of a file. It travels with the tasks that write, so it holds settings only.</summary>
/// <remarks>Give one of your own to <c>SaveAs</c>.</remarks>
/// <typeparam name="T">The element type.</typeparam>
public interface IFileFormat<T>
{
    /// <summary>What the names of its files end with, such as <c>.gz</c>; may be empty.</summary>
    string Extension { get; }

    /// <summary>Begins a file.</summary>
    /// <param name="stream">Takes the bytes; buffered. The format does not dispose it.</param>
    IFileWriter<T> Open(Stream stream);
}

/// <summary>Writes the elements of one file. Used by one thread.</summary>
/// <typeparam name="T">The element type.</typeparam>
public interface IFileWriter<T> : IDisposable
{
    /// <summary>Appends elements.</summary>
    /// <param name="items">Valid during the call only.</param>
    void Write(ReadOnlySpan<T> items);

    /// <summary>Writes what is held back and the end of the format. Called once, last; not called for a file that is dropped.</summary>
    void Complete();
}
