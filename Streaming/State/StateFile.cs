using System.Buffers.Binary;
using System.Globalization;
using Dataflow.Compression;
using Dataflow.Files;
using Dataflow.Sql.Exchange;

namespace Dataflow.Streaming.State;

/// <summary>
/// A file of groups: all of a partition (a snapshot), or those that a batch changed (a delta). It appears whole or not at all. Where files can be written on, what the next batches change may stand
/// behind it, each as a file of its own would be; <c>NAME@OFFSET</c> is what begins there.
/// </summary>
/// <remarks>Layout, little-endian: <c>DFST</c>, version (4 bytes); records of kind (4 bytes), length of what follows (4 bytes), span (8 bytes; which span of times the groups are
/// of), bytes, CRC-32C of kind to bytes (4 bytes). Kinds: 1 groups as a frame of keys and states, or rows; 2 the span was dropped; 3 the end; 4 and 5 numbers (4 bytes each) of rows that were
/// removed, or marked; 7 where a frame of a run lies (share of the hashes, rows, 4 bytes each, and offset, 8 bytes). Kinds of a second table are greater by 16. Behind the end: where
/// the records of kind 7 begin (8 bytes), and CRC-32C of that. In a run, dropped spans are the last records in front of these.</remarks>
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
    private const int Index = 7;
    private const int HeadBytes = 16;
    private const int TailBytes = 12;

    private static ReadOnlySpan<byte> Magic => "DFST"u8;

    /// <summary>Writes a file.</summary>
    public sealed class Writer : IDisposable
    {
        private readonly List<(long Span, RunFrame Frame)> _index = [];
        private readonly List<long> _gone = [];
        private readonly PendingFile _file;
        private readonly BufferedStream _stream;

        /// <param name="path">The file, which appears when it is committed; with an offset, where a file that is there ends: what is written behind it counts for who knows the offset.</param>
        public Writer(string path)
        {
            var (name, offset) = Split(path);
            _file = offset > 0 ? new Continued(name, offset) : FileSystems.For(path).Create(path);
            _stream = new BufferedStream(_file.Stream, 1 << 16);
            Span<byte> head = stackalloc byte[8];
            Magic.CopyTo(head);
            BinaryPrimitives.WriteInt32LittleEndian(head[4..], Version);
            _stream.Write(head);
        }

        /// <summary>Spans that were written as dropped.</summary>
        public HashSet<long> DroppedSpans { get; } = [];

        /// <summary>Bytes that were written so far.</summary>
        public long Position { get; private set; } = 8;

        /// <summary>Writes a frame of a run, and notes where it lies.</summary>
        public void WriteShare(long span, int share, int rows, ReadOnlySpan<byte> bytes)
        {
            _index.Add((span, new RunFrame(share, rows, Position)));
            Write(Groups, span, bytes);
        }

        /// <summary>Notes that a span of older files is gone.</summary>
        public void WriteGone(long span) => _gone.Add(span);

        public void Write(int kind, long span, ReadOnlySpan<byte> bytes)
        {
            Position += HeadBytes + bytes.Length + 4;
            if (kind == Dropped) DroppedSpans.Add(span);
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

        /// <summary>Makes the file appear.</summary>
        /// <param name="durable">Whether it is on the disk first, so that it is there after a power cut.</param>
        public void Commit(bool durable)
        {
            var index = Position;
            foreach (var span in _gone) Write(Dropped, span, []);
            foreach (var (span, frame) in _index) Write(Index, span, frame.ToBytes());
            Write(End, 0, []);
            Span<byte> tail = stackalloc byte[TailBytes];
            BinaryPrimitives.WriteInt64LittleEndian(tail, index);
            BinaryPrimitives.WriteUInt32LittleEndian(tail[8..], Crc32C.Of(tail[..8]));
            _stream.Write(tail);
            Position += TailBytes;
            _stream.Flush();
            _file.Commit(replace: true, durable);
        }

        public void Dispose() => _file.Dispose();
    }

    /// <summary>Whether files of a folder can be written on. Those of stores of objects can not.</summary>
    public static bool CanContinue(string folder) => FileSystems.For(folder) is LocalFileSystem;

    /// <summary>The name of what stands in a file from an offset on.</summary>
    public static string At(string path, long offset) => string.Create(CultureInfo.InvariantCulture, $"{path}@{offset}");

    /// <summary>The file that a name is of, and where it begins in it.</summary>
    public static (string Path, long Offset) Split(string name) =>
        name.LastIndexOf('@') is var at && at > name.LastIndexOf('/') && long.TryParse(name.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? (name[..at], offset) : (name, 0);

    /// <summary>The bytes of a file; 0 if it is not there.</summary>
    public static long LengthOf(string path) => FileSystems.For(path).Find(Split(path).Path)?.Length ?? 0;

    /// <summary>The records of a file. Bytes are lent until the next one.</summary>
    /// <exception cref="StreamingException">It is missing, damaged or of another version.</exception>
    public static IEnumerable<(int Kind, long Span, ReadOnlyMemory<byte> Bytes)> Read(string path)
    {
        using var file = new Reader(path);
        file.CheckBeginning();
        while (file.Next() is { Kind: not End } record)
        {
            if (record.Kind != Index) yield return record;
        }
    }

    /// <summary>Of a run: the spans that were dropped, and where frames lie. Frames are not read.</summary>
    /// <exception cref="StreamingException">It is missing, damaged or of another version.</exception>
    public static IEnumerable<(int Kind, long Span, ReadOnlyMemory<byte> Bytes)> ReadIndex(string path)
    {
        using var file = new Reader(path);
        file.CheckBeginning();
        file.GoToIndex();
        while (file.Next() is { Kind: not End } record) yield return record;
    }

    /// <summary>Reads a file, record by record, into one piece of memory.</summary>
    public sealed class Reader : IDisposable
    {
        private readonly string _path;
        private readonly Stream _stream;
        private byte[] _room = [];

        /// <param name="path">The file.</param>
        /// <exception cref="StreamingException">It is missing.</exception>
        public Reader(string path)
        {
            var (name, offset) = Split(path);
            _path = path;
            try
            {
                _stream = new BufferedStream(FileSystems.For(name).OpenRead(name, offset), 1 << 16);
            }
            catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
            {
                throw Damaged("is missing", error);
            }
        }

        /// <summary>The bytes of a record, lent until the next one.</summary>
        /// <param name="offset">Where the record begins.</param>
        public ReadOnlyMemory<byte> At(long offset)
        {
            _stream.Position = offset;
            return Next().Bytes;
        }

        public void CheckBeginning()
        {
            Span<byte> head = stackalloc byte[8];
            Fill(head);
            if (!head[..4].SequenceEqual(Magic)) throw Damaged("does not begin as a file of state does");
            if (BinaryPrimitives.ReadInt32LittleEndian(head[4..]) is var version and not Version)
                throw new StreamingException("CHECKPOINT_VERSION", $"'{_path}' is of version {version}, and this version of Dataflow reads version {Version}. Start the query with the version that wrote it.");
        }

        public void GoToIndex()
        {
            Span<byte> tail = stackalloc byte[TailBytes];
            if (_stream.Length < TailBytes + 8) throw Damaged("ends too early");
            _stream.Position = _stream.Length - TailBytes;
            Fill(tail);
            var index = BinaryPrimitives.ReadInt64LittleEndian(tail);
            if (BinaryPrimitives.ReadUInt32LittleEndian(tail[8..]) != Crc32C.Of(tail[..8]) || index < 8 || index >= _stream.Length) throw Damaged("has bytes that are not as they were written");
            _stream.Position = index;
        }

        /// <summary>The next record; its bytes are lent until the one behind it.</summary>
        public (int Kind, long Span, ReadOnlyMemory<byte> Bytes) Next()
        {
            Span<byte> head = stackalloc byte[HeadBytes];
            Fill(head);
            var (kind, length, span) = (BinaryPrimitives.ReadInt32LittleEndian(head), BinaryPrimitives.ReadInt32LittleEndian(head[4..]), BinaryPrimitives.ReadInt64LittleEndian(head[8..]));
            if (length < 0 || length > _stream.Length - _stream.Position) throw Damaged("ends too early");
            if (_room.Length < length) _room = GC.AllocateUninitializedArray<byte>(length);
            var bytes = _room.AsMemory(0, length);
            Fill(bytes.Span);
            Span<byte> sum = stackalloc byte[4];
            Fill(sum);
            if (BinaryPrimitives.ReadUInt32LittleEndian(sum) != Crc32C.Append(Crc32C.Of(head), bytes.Span)) throw Damaged("has bytes that are not as they were written");
            return (kind, span, bytes);
        }

        public void Dispose() => _stream.Dispose();

        private void Fill(Span<byte> bytes)
        {
            if (_stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) throw Damaged("ends too early");
        }

        private StreamingException Damaged(string how, Exception? inner = null) => new(
            "CHECKPOINT_DAMAGED", $"The state file '{_path}' {how}. Bring the checkpoint's folder back from a copy; or begin anew with another folder, which reads the sources from their beginning.", inner);
    }

    /// <summary>What is written at the end of a file that is there. Nobody takes note of it unless it is committed.</summary>
    private sealed class Continued(string path, long offset) : PendingFile
    {
        private readonly FileStream _stream = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0) { Position = offset };

        public override string Path => path;

        public override Stream Stream => _stream;

        public override void Commit(bool replace, bool durable)
        {
            if (durable) _stream.Flush(flushToDisk: true);
            _stream.Dispose();
        }

        protected override void Dispose(bool disposing) => _stream.Dispose();
    }
}
