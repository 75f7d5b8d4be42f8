namespace Dataflow.Files;

/// <summary>A file that is being written and does not exist yet under its name. Disposing it without <see cref="Commit"/> drops it.</summary>
public abstract class PendingFile : IDisposable
{
    /// <summary>The full path at which it will appear.</summary>
    public abstract string Path { get; }

    /// <summary>Takes the bytes. Need not buffer: write large pieces. Closed by <see cref="Commit"/> and <see cref="Dispose()"/>.</summary>
    public abstract Stream Stream { get; }

    /// <summary>Makes the file appear at its path, whole. Nothing may be written after.</summary>
    /// <param name="replace">Whether it takes the place of a file that is there.</param>
    /// <param name="durable">Whether to wait until the bytes and the name are on the disk, so that they outlive a loss of power.</param>
    /// <exception cref="IOException">A file is there and <paramref name="replace"/> is false, or the bytes can't be written.</exception>
    public abstract void Commit(bool replace = false, bool durable = false);

    /// <summary>Drops what was written, unless it was committed. Safe to call twice.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Drops what was written, unless it was committed.</summary>
    /// <param name="disposing">True when called from <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);
}
