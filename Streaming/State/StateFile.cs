using System.Buffers.Binary;
using Dataflow.Compression;
using Dataflow.Files;
using Dataflow.Sql.Exchange;

namespace Dataflow.Streaming.State;

/// <summary>
/// A file of groups: all of a partition (a snapshot), or those that a batch changed (a delta). It appears whole or not at all.
/// </summary>
/// <remarks>Layout, little-endian: <c>DFST</c>, version (4 bytes); records of kind (4 bytes), length of what follows (4 bytes), span (8 bytes; which span of times the groups are
/// of), bytes, CRC-32C of kind to bytes (4 bytes). Kinds: 1 groups as a frame of keys and states, or rows; 2 the span was dropped; 3 the end; 4 and 5 numbers (4 bytes each) of rows that were
/// removed, or marked. Kinds of a second table are greater by 16.</remarks>
internal static class StateFile
{
    public const int Groups = 1;
    public const int Rows = Groups;
    public const int Dropped = 2;
    public const int Removed = 4;
    public const int Marked = 5;
    /// <summary>Kinds of a second table in a file are so much greater.</summary>
    public const int OfTable = 16;

    private const int End = 3;
    private const int Version = 1;
    private const int HeadBytes = 16;

    private static ReadOnlySpan<byte> Magic => "DFST"u8;

    /// <summary>Writes a file.</summary>
    public sealed class Writer : IDisposable
    {
        private readonly PendingFile _file;
        private readonly BufferedStream _stream;

        public Writer(string path)
        {
            _file = FileSystems.For(path).Create(path);
            _stream = new BufferedStream(_file.Stream, 1 << 16);
            Span<byte> head = stackalloc byte[8];
            Magic.CopyTo(head);
            BinaryPrimitives.WriteInt32LittleEndian(head[4..], Version);
            _stream.Write(head);
        }

        public void Write(int kind, long span, ReadOnlySpan<byte> bytes)
        {
            Span<byte> head = stackalloc byte[HeadBytes];
            BinaryPrimitives.WriteInt32LittleEndian(head, kind);
            BinaryPrimitives.WriteInt32LittleEndian(head[4..], bytes.Length);
            BinaryPrimitives.WriteInt64LittleEndian(head[8..], span);
            _stream.Write(head);
            _stream.Write(bytes);
            Span<byte> sum = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(sum, Crc32C.Append(Crc32C.Of(head), bytes));
            _stream.Write(sum);
        }

        /// <summary>Makes the file appear, once it is on the disk.</summary>
        public void Commit()
        {
            Write(End, 0, []);
            _stream.Flush();
            _file.Commit(replace: true, durable: true);
        }

        public void Dispose() => _file.Dispose();
    }

    /// <summary>The records of a file.</summary>
    /// <exception cref="StreamingException">It is missing, damaged or of another version.</exception>
    public static IEnumerable<(int Kind, long Span, byte[] Bytes)> Read(string path)
    {
        using var stream = Open(path);
        var head = new byte[HeadBytes];
        Fill(stream, head.AsSpan(0, 8), path);
        if (!head.AsSpan(0, 4).SequenceEqual(Magic)) throw Damaged(path, "does not begin as a file of state does");
        if (BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(4)) is var version and not Version)
            throw new StreamingException("CHECKPOINT_VERSION", $"'{path}' is of version {version}, and this version of Dataflow reads version {Version}. Start the query with the version that wrote it.");
        while (true)
        {
            Fill(stream, head, path);
            var (kind, length, span) = (BinaryPrimitives.ReadInt32LittleEndian(head), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(4)), BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(8)));
            if (length < 0 || length > stream.Length - stream.Position) throw Damaged(path, "ends too early");
            var bytes = new byte[length];
            Fill(stream, bytes, path);
            var sum = new byte[4];
            Fill(stream, sum, path);
            if (BinaryPrimitives.ReadUInt32LittleEndian(sum) != Crc32C.Append(Crc32C.Of(head), bytes)) throw Damaged(path, "has bytes that are not as they were written");
            if (kind == End) yield break;
            yield return (kind, span, bytes);
        }
    }

    private static Stream Open(string path)
    {
        try
        {
            return new BufferedStream(FileSystems.For(path).OpenRead(path), 1 << 16);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Damaged(path, "is missing", error);
        }
    }

    private static void Fill(Stream stream, Span<byte> bytes, string path)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) throw Damaged(path, "ends too early");
    }

    private static StreamingException Damaged(string path, string how, Exception? inner = null) => new(
        "CHECKPOINT_DAMAGED", $"The state file '{path}' {how}. Bring the checkpoint's folder back from a copy; or begin anew with another folder, which reads the sources from their beginning.", inner);
}
