using Dataflow.Files;
using Dataflow.Formats;

namespace Dataflow;

/// <summary>Actions that write elements as they lie in memory.</summary>
public static class RecordVerbs
{
    extension<T>(Rdd<T> rdd)
        where T : unmanaged
    {
        /// <summary>Writes the elements as they lie in memory, back to back, for <c>FixedRecords</c> to read: a folder with one file for each partition.</summary>
        /// <remarks>Action. The files say nothing of their type, and numbers are little-endian. A struct's padding is written as it happens to be.</remarks>
        /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
        /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
        /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
        /// <exception cref="JobFailedException">A task failed for the last time.</exception>
        public void SaveAsRecords(string path, bool overwrite = false) => Rdd<T>.Wait(rdd.SaveAsRecordsAsync(path, overwrite));

        /// <inheritdoc cref="SaveAsRecords{T}(Rdd{T}, string, bool)"/>
        /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
        /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
        /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
        public Task SaveAsRecordsAsync(string path, bool overwrite = false, CancellationToken cancellationToken = default) =>
            rdd.SaveAsync(path, new RecordFormat<T>(), overwrite, CallSite.Here("SaveAsRecords"), cancellationToken);
    }

    extension(Rdd<byte[]> rdd)
    {
        /// <summary>Writes arrays of bytes back to back, for <c>BinaryRecords</c> to read: a folder with one file for each partition.</summary>
        /// <remarks>Action. Nothing is written between the arrays.</remarks>
        /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
        /// <param name="length">The length that every array must have, in bytes; 0 takes any.</param>
        /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
        /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
        /// <exception cref="JobFailedException">A task failed for the last time; one that met an array of another length, too.</exception>
        public void SaveAsBinaryRecords(string path, int length = 0, bool overwrite = false) =>
            Rdd<byte[]>.Wait(rdd.SaveAsBinaryRecordsAsync(path, length, overwrite));

        /// <inheritdoc cref="SaveAsBinaryRecords(Rdd{byte[]}, string, int, bool)"/>
        /// <param name="path">A folder. A relative path is relative to the driver's working folder.</param>
        /// <param name="length">The length that every array must have, in bytes; 0 takes any.</param>
        /// <param name="overwrite">Whether to replace what is there, once the new output is complete.</param>
        /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
        public Task SaveAsBinaryRecordsAsync(string path, int length = 0, bool overwrite = false, CancellationToken cancellationToken = default)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length);
            return rdd.SaveAsync(path, new BytesFormat(length), overwrite, CallSite.Here("SaveAsBinaryRecords"), cancellationToken);
        }
    }
}
