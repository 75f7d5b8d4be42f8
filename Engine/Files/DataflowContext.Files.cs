using Dataflow.Files;
using Dataflow.Serialization;

namespace Dataflow;

// Sources that read files. A path is a file, a folder (the files directly in it), a pattern, or several with commas between them.
public sealed partial class DataflowContext
{
    /// <summary>The lines of text files, in the order of the files; of a pattern or folder, ordered by name.</summary>
    /// <remarks>
    /// <para>Source, lazy: files are looked for at the first action. Large files are cut into parts, small ones put together; a line belongs
    /// to the part in which it begins. Lines end with <c>\n</c>, <c>\r\n</c> or a lone <c>\r</c> and are given without it.</para>
    /// <para>Text is UTF-8, with or without a mark at the start; bytes that are not UTF-8 become U+FFFD. Files that end in .gz, .lz4, .zst,
    /// .br, .snappy or .sz are decompressed, each in one partition.</para>
    /// <para>A folder means the files in it, not those of the folders below: <c>logs/**</c> takes them too. A pattern may hold <c>*</c>,
    /// <c>?</c>, <c>[a-c]</c>, <c>{a,b}</c>, and <c>**</c> for any folders down. Names that begin with <c>_</c>
    /// or <c>.</c> are passed over.</para>
    /// </remarks>
    /// <param name="path">A file, a folder, a pattern, or several with commas between them. Relative paths are relative to the driver's working folder.</param>
    /// <param name="minPartitions">How many partitions at least, if there are enough bytes; 0 takes <see cref="DefaultParallelism"/> for large inputs.</param>
    /// <exception cref="InputException">At the first action: nothing is there, or it may not be read. The message names similar paths.</exception>
    public Rdd<string> TextFile(string path, int minPartitions = 0) => new TextFileRdd(this, path, Splits(minPartitions));

    /// <summary>Text files as a whole: one element for each file, with its full path.</summary>
    /// <remarks>Source, lazy. A file must fit memory. Its encoding is UTF-8, or UTF-16 or UTF-32 when it begins with their mark; compressed files as in
    /// <see cref="TextFile"/>.</remarks>
    /// <param name="path">A file, a folder, a pattern, or several with commas between them.</param>
    /// <param name="minPartitions">How many partitions at least, if there are enough files.</param>
    /// <exception cref="InputException">At the first action: nothing is there, or it may not be read.</exception>
    public Rdd<(string Path, string Text)> WholeTextFiles(string path, int minPartitions = 0) =>
        new WholeFilesRdd<string>(this, "WholeTextFiles", path, Splits(minPartitions) with { Decompress = true }, WholeFile.Text);

    /// <summary>Files as arrays of bytes: one element for each file, with its full path. Compressed files are given as they are.</summary>
    /// <remarks>Source, lazy. A file may have 2 GB and must fit memory.</remarks>
    /// <param name="path">A file, a folder, a pattern, or several with commas between them.</param>
    /// <param name="minPartitions">How many partitions at least, if there are enough files.</param>
    /// <exception cref="InputException">At the first action: nothing is there, or it may not be read.</exception>
    public Rdd<(string Path, byte[] Bytes)> BinaryFiles(string path, int minPartitions = 0) =>
        new WholeFilesRdd<byte[]>(this, "BinaryFiles", path, Splits(minPartitions), WholeFile.Bytes);

    /// <summary>Records of one length, back to back in files without anything between them: one array for each.</summary>
    /// <remarks>Source, lazy. <see cref="FixedRecords{T}"/> makes no arrays and reads several times as fast.</remarks>
    /// <param name="path">A file, a folder, a pattern, or several with commas between them.</param>
    /// <param name="length">Length of a record in bytes.</param>
    /// <param name="minPartitions">How many partitions at least, if there are enough records.</param>
    /// <exception cref="InputException">At the first action: nothing is there, it may not be read, or the length of a file is not a multiple of
    /// <paramref name="length"/>.</exception>
    public Rdd<byte[]> BinaryRecords(string path, int length, int minPartitions = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        return new BinaryRecordsRdd(this, path, Splits(minPartitions), length);
    }

    /// <summary>Records that lie in files as they lie in memory, back to back: little-endian numbers, or structs without references.</summary>
    /// <remarks>Source, lazy. Elements are lent where they were read, without a copy: as fast as the disk or the page cache.</remarks>
    /// <typeparam name="T">A number, or a struct whose fields are laid out as in the file.</typeparam>
    /// <param name="path">A file, a folder, a pattern, or several with commas between them.</param>
    /// <param name="minPartitions">How many partitions at least, if there are enough records.</param>
    /// <exception cref="InputException">At the first action: nothing is there, it may not be read, or the length of a file is not a multiple of
    /// a record's.</exception>
    public Rdd<T> FixedRecords<T>(string path, int minPartitions = 0)
        where T : unmanaged => new FixedRecordsRdd<T>(this, path, Splits(minPartitions));

    /// <summary>Elements that <c>SaveAsObjects</c> wrote.</summary>
    /// <remarks>Source, lazy. A file is read in one partition; small ones are put together. Files added to the folder later are read too, and files
    /// put end to end read as one.</remarks>
    /// <typeparam name="T">The type they were written with.</typeparam>
    /// <param name="path">A file, a folder, a pattern, or several with commas between them.</param>
    /// <param name="minPartitions">How many partitions at least, if there are enough files.</param>
    /// <exception cref="CodecException"><typeparamref name="T"/> can't be encoded; or, in a task, the file holds another type: the message names both.</exception>
    /// <exception cref="InputException">At the first action: nothing is there, or it may not be read.</exception>
    public Rdd<T> ObjectFile<T>(string path, int minPartitions = 0)
    {
        _ = Codec<T>.Default;
        return new ObjectFileRdd<T>(this, path, Splits(minPartitions));
    }

    private FileSplits Splits(int minPartitions)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minPartitions);
        return new FileSplits(minPartitions, Options.MaxPartitionBytes, Options.FileOpenCostBytes, DefaultParallelism);
    }
}
