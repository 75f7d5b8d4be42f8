using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Unicode;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.ParquetEncodings;

/// <summary>Numbers and bytes of fixed length, one after another. (Encodings.md, "Plain")</summary>
/// <param name="width">Bytes of a value.</param>
internal sealed unsafe class PlainFixedDecoder(int width) : ValueDecoder
{
    private byte* _at;
    private byte* _end;

    public override void Start(byte* at, byte* end, int most)
    {
        _at = at;
        _end = end;
    }

    public override void Read(byte* to, int count)
    {
        var from = Lend(count);
        Buffer.MemoryCopy(from, to, (long)count * width, (long)count * width);
    }

    public override void Skip(int count) => Lend(count);

    public override byte* Lend(int count)
    {
        var bytes = (long)count * width;
        if (bytes > _end - _at) throw Ended();
        var values = _at;
        _at += bytes;
        return values;
    }
}

/// <summary>Bits, eight to a byte. (Encodings.md, "Plain")</summary>
internal sealed unsafe class PlainBitDecoder : ValueDecoder
{
    private byte* _start;
    private long _at;
    private long _count;

    public override void Start(byte* at, byte* end, int most)
    {
        _start = at;
        _at = 0;
        _count = (end - at) * 8;
    }

    public override void Read(byte* to, int count)
    {
        var from = _at;
        Skip(count);
        BitRuns.Copy(_start, from, (ulong*)to, 0, count);
    }

    public override void Skip(int count)
    {
        if (count > _count - _at) throw Ended();
        _at += count;
    }
}

/// <summary>Bits in runs, after their length in four bytes. (Encodings.md, "RLE")</summary>
internal sealed unsafe class RunBitDecoder : ValueDecoder
{
    private HybridReader _runs;

    public override void Start(byte* at, byte* end, int most)
    {
        if (end - at < 4)
        {
            _runs.Start(end, end, 1);
            return;
        }
        var length = *(uint*)at;
        if (length > end - at - 4) throw Ended();
        _runs.Start(at + 4, at + 4 + length, 1);
    }

    public override void Read(byte* to, int count) => _runs.ReadBits((ulong*)to, 0, count);

    public override void Skip(int count) => _runs.Skip(count);
}

/// <summary>Bytes of any length, each after its length in four bytes. (Encodings.md, "Plain")</summary>
/// <param name="isText">Whether they must be UTF-8.</param>
internal sealed unsafe class PlainBytesDecoder(bool isText) : ValueDecoder
{
    private byte* _at;
    private byte* _end;

    public override void Start(byte* at, byte* end, int most)
    {
        _at = at;
        _end = end;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Read(byte* to, int count)
    {
        var first = _at;
        var views = (StringView*)to;
        for (var i = 0; i < count; i++)
        {
            var length = NextLength();
            Views.Make(views + i, _at, length);
            _at += length;
        }
        if (isText) Views.CheckText(views, count, first, _at);
    }

    public override void Skip(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var length = NextLength();
            _at += length;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int NextLength()
    {
        var left = _end - _at;
        if (left < 4) throw Ended();
        var length = *(uint*)_at;
        if (length > left - 4) throw new CorruptDataException("parquet", 0, $"a value of {length:N0} bytes is announced, where its page has {left - 4:N0} left");
        _at += 4;
        return (int)length;
    }
}

/// <summary>Makes views of bytes in pages, where as many as a vector holds may be read from any value's first byte on.</summary>
internal static unsafe class Views
{
    /// <summary>Makes one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Make(StringView* view, byte* bytes, int length)
    {
        if (length > StringView.MaxInline)
        {
            *(ulong*)view = (uint)length | (ulong)*(uint*)bytes << 32;
            *(byte**)((byte*)view + 8) = bytes;
            return;
        }
        var inline = Vector128.Load(bytes) & Vector128.LessThan(Vector128<byte>.Indices, Vector128.Create((byte)length));
        Vector128.Shuffle(inline.AsUInt32(), Vector128.Create(0u, 0, 1, 2)).WithElement(0, (uint)length).Store((uint*)view);
    }

    /// <summary>Checks that values are UTF-8.</summary>
    /// <param name="views">The values.</param>
    /// <param name="count">How many.</param>
    /// <param name="first">The bytes from which they come, which may hold small lengths between them.</param>
    /// <param name="end">Past them.</param>
    public static void CheckText(StringView* views, int count, byte* first, byte* end)
    {
        // Nearly all text is ASCII throughout, and then one look at all bytes is enough.
        if (Ascii.IsValid(new ReadOnlySpan<byte>(first, (int)(end - first)))) return;
        for (var i = 0; i < count; i++) CheckText(views + i);
    }

    /// <summary>Checks that a value is UTF-8.</summary>
    public static void CheckText(StringView* view)
    {
        var text = StringView.BytesOf(view);
        if (!Utf8.IsValid(text)) throw new CorruptDataException("parquet", 0, $"a text is not UTF-8: {Convert.ToHexString(text[..Math.Min(text.Length, 32)])}");
    }
}
