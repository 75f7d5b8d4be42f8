using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Serialization;

namespace Dataflow;

// Actions that write files: each is one job whose tasks write, and whose end makes the output appear.
public abstract partial class Rdd<T>
{
    /// <summary>Writes one line of text for each element, in UTF-8: a folder with one file for each partition, in order.</summary>
    /// <remarks>Action. The folder appears whole when the job ends well, with an empty <c>_SUCCESS</c> in it, and not at all otherwise. An
    /// element's line is what <c>ToString</c> gives under the invariant culture; null is an empty line. A line break within a text is
    /// written as it is, and makes two lines when read.</remarks>
    /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
    /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
    /// <param name="codec">Compression: gzip, lz4, zstd, brotli or snappy; null for none.</param>
    /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
    /// <exception cref="JobFailedException">A task failed for the last time.</exception>
    public void SaveAsText(string path, bool overwrite = false, string? codec = null) => Wait(SaveAsTextAsync(path, overwrite, codec));

    /// <inheritdoc cref="SaveAsText"/>
    /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
    /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
    /// <param name="codec">Compression: gzip, lz4, zstd, brotli or snappy; null for none.</param>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task SaveAsTextAsync(string path, bool overwrite = false, string? codec = null, CancellationToken cancellationToken = default) =>
        SaveAsync(path, new TextFormat<T>(codec), overwrite, CallSite.Here("SaveAsText"), cancellationToken);

    /// <summary>Writes one line of text for each element into one file, in the order of partitions.</summary>
    /// <remarks>Action. Tasks write their parts side by side, then the driver copies them into one file, which appears whole.</remarks>
    /// <param name="path">A file. A relative path is relative to the driver's working folder.</param>
    /// <param name="overwrite">Whether to replace a file that is there, once the new one is complete.</param>
    /// <param name="codec">Compression: gzip, lz4, zstd or snappy; null for none. Name the file accordingly, such as <c>.gz</c>.</param>
    /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
    /// <exception cref="JobFailedException">A task failed for the last time.</exception>
    public void SaveAsSingleText(string path, bool overwrite = false, string? codec = null) => Wait(SaveAsSingleTextAsync(path, overwrite, codec));

    /// <inheritdoc cref="SaveAsSingleText"/>
    /// <param name="path">A file. A relative path is relative to the driver's working folder.</param>
    /// <param name="overwrite">Whether to replace a file that is there, once the new one is complete.</param>
    /// <param name="codec">Compression: gzip, lz4, zstd or snappy; null for none. Name the file accordingly, such as <c>.gz</c>.</param>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task SaveAsSingleTextAsync(string path, bool overwrite = false, string? codec = null, CancellationToken cancellationToken = default)
    {
        if (!TextCompression.CanJoin(codec))
            throw new ArgumentException($"Parts compressed with {codec} can't be put together into one file. Take gzip, lz4, zstd or snappy, or SaveAsText.", nameof(codec));
        return SaveAsync(path, new TextFormat<T>(codec), overwrite, CallSite.Here("SaveAsSingleText"), cancellationToken, singleFile: true);
    }

    /// <summary>Writes the elements as the engine encodes them, for <c>ObjectFile</c> to read: a folder with one file for each partition.</summary>
    /// <remarks>Action. Blocks are checked and compressed (LZ4); each file says what type it holds. The folder appears whole or not at all.</remarks>
    /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
    /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
    /// <exception cref="CodecException"><typeparamref name="T"/> can't be encoded; the message names the member.</exception>
    /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
    /// <exception cref="JobFailedException">A task failed for the last time.</exception>
    public void SaveAsObjects(string path, bool overwrite = false) => Wait(SaveAsObjectsAsync(path, overwrite));

    /// <inheritdoc cref="SaveAsObjects"/>
    /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
    /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task SaveAsObjectsAsync(string path, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        _ = Codec<T>.Default;
        return SaveAsync(path, new ObjectFormat<T>(), overwrite, CallSite.Here("SaveAsObjects"), cancellationToken);
    }

    /// <summary>Writes the elements in a format of your own: a folder with one file for each partition, in order.</summary>
    /// <remarks>Action. The folder appears whole when the job ends well, with an empty <c>_SUCCESS</c> in it, and not at all otherwise.</remarks>
    /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
    /// <param name="format">Travels with the tasks.</param>
    /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
    /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
    /// <exception cref="JobFailedException">A task failed for the last time.</exception>
    public void SaveAs(string path, IFileFormat<T> format, bool overwrite = false) => Wait(SaveAsAsync(path, format, overwrite));

    /// <inheritdoc cref="SaveAs"/>
    /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
    /// <param name="format">Travels with the tasks.</param>
    /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task SaveAsAsync(string path, IFileFormat<T> format, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(format);
        return SaveAsync(path, format, overwrite, CallSite.Here("SaveAs"), cancellationToken);
    }

    internal async Task SaveAsync(
        string path, IFileFormat<T> format, bool overwrite, CallSite site, CancellationToken cancellationToken, bool singleFile = false)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var existing = overwrite ? ExistingOutput.Replace : ExistingOutput.Refuse;
        using var output = AtomicOutput.Begin(path, PartitionCount, existing, singleFile);
        var plan = output.Plan;
        var tasks = await Context.RunJobAsync(this, (reader, context) => PartWriter.Write(reader, context, plan, format), null, site, cancellationToken)
            .ConfigureAwait(false);

        // Renames may take a while: not on the thread that brought the last result.
        await Task.Run(() =>
        {
            if (singleFile) output.CommitAsOneFile(tasks);
            else output.Commit(tasks);
        }, CancellationToken.None).ConfigureAwait(false);
    }
}
