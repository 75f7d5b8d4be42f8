using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Parquet;

/// <summary>Reads a stretch of a file forward through a window of memory; whoever needs more than the window gets a larger one.</summary>
/// <param name="file">The file, shared by the columns of a row group: each read says where.</param>
/// <param name="arena">Whose memory it takes.</param>
/// <param name="start">First byte.</param>
/// <param name="end">Past the last.</param>
internal sealed unsafe class ChunkStream(Stream file, TaskArena arena, long start, long end)
{
    private const int WindowBytes = 128 << 10;

    private NativeBuffer? _window;
    private long _windowStart = start;
    private int _filled;

    /// <summary>Where in the file the next byte is.</summary>
    public long Position { get; private set; } = start;

    /// <summary>Bytes left.</summary>
    public long Left => end - Position;

    /// <summary>Bytes read from the file, for metrics.</summary>
    public long BytesRead { get; private set; }

    /// <summary>The bytes at hand, at least so many unless the stretch ends before. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Peek(int length)
    {
        var wanted = (int)Math.Min(length, Left);
        if (InWindow < wanted) Fill(wanted);
        return new ReadOnlySpan<byte>(_window is null ? null : _window.Pointer + (Position - _windowStart), InWindow);
    }

    /// <summary>The next bytes, in one piece with slack behind. Valid until the next call.</summary>
    public byte* Take(int length)
    {
        Require(length);
        if (InWindow < length) Fill(length);
        var bytes = _window!.Pointer + (Position - _windowStart);
        Position += length;
        return bytes;
    }

    /// <summary>The next bytes, copied.</summary>
    public void Read(byte* to, int length)
    {
        Require(length);
        var here = Math.Min(InWindow, length);
        if (here > 0) Buffer.MemoryCopy(_window!.Pointer + (Position - _windowStart), to, length, here);
        Position += here;
        if (here == length) return;
        ReadFile(to + here, length - here);
        Position += length - here;
    }

    /// <summary>Goes forward.</summary>
    public void Skip(long length)
    {
        if (length > Left) Require((int)Math.Min(length, int.MaxValue));
        Position += length;
    }

    /// <summary>Goes to a byte of the stretch, forward or back.</summary>
    public void Seek(long position)
    {
        Position = position;
    }

    private int InWindow => Position >= _windowStart && Position <= _windowStart + _filled ? (int)(_windowStart + _filled - Position) : 0;

    private void Require(int length)
    {
        if (length > Left) throw new CorruptDataException("parquet", Position, $"a page of {length:N0} bytes is announced, where its chunk has {Left:N0} left");
    }

    // What is at hand moves to the front, and the window is filled behind it.
    private void Fill(int length)
    {
        var kept = InWindow;
        var from = _window is null ? null : _window.Pointer + (Position - _windowStart);
        var target = _window;
        if (target is null || target.Length - TaskArena.Slack < length)
        {
            var size = (int)Math.Min(Math.Max(Left, length), WindowBytes);
            target = arena.Rent(Math.Max(size, length));
        }
        if (kept > 0) Buffer.MemoryCopy(from, target.Pointer, target.Length, kept);
        if (target != _window && _window is not null) arena.Return(_window);
        _window = target;
        _windowStart = Position;
        _filled = kept;
        var more = (int)Math.Min(Math.Max(length, Math.Min(target.Length - TaskArena.Slack, WindowBytes)) - kept, Left - kept);
        var at = Position;
        ReadFile(target.Pointer + kept, more, at + kept);
        _filled = kept + more;
    }

    private void ReadFile(byte* to, int length) => ReadFile(to, length, Position);

    private void ReadFile(byte* to, int length, long position)
    {
        if (file.Position != position) file.Position = position;
        file.ReadExactly(new Span<byte>(to, length));
        BytesRead += length;
    }
}
