using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.ParquetEncodings;

/// <summary>Integers as differences. (Encodings.md, "Delta Encoding")</summary>
/// <param name="width">Bytes of a value: 4 or 8.</param>
internal sealed unsafe class DeltaIntegerDecoder(int width) : ValueDecoder
{
    private const int Step = 256;

    private DeltaReader _values;

    public override void Start(byte* at, byte* end, int most) => _values.Start(at, end);

    public override void Read(byte* to, int count)
    {
        if (width == 8)
        {
            _values.Read((long*)to, count);
            return;
        }
        var wide = stackalloc long[Step];
        for (var at = 0; at < count; at += Step)
        {
            var step = Math.Min(Step, count - at);
            _values.Read(wide, step);
            for (var i = 0; i < step; i++) ((int*)to)[at + i] = (int)wide[i];
        }
    }

    public override void Skip(int count) => _values.Skip(count);
}

/// <summary>All lengths first, as differences, and then all bytes. (Encodings.md, "Delta-length byte array")</summary>
/// <param name="isText">Whether values must be UTF-8.</param>
internal sealed unsafe class DeltaLengthDecoder(bool isText) : ValueDecoder
{
    private LengthsAndBytes _values;

    public override void Start(byte* at, byte* end, int most) => _values.Start(at, end);

    public override void Read(byte* to, int count)
    {
        var first = _values.Bytes;
        var views = (StringView*)to;
        var lengths = stackalloc long[LengthsAndBytes.Step];
        for (var at = 0; at < count; at += LengthsAndBytes.Step)
        {
            var step = Math.Min(LengthsAndBytes.Step, count - at);
            _values.ReadLengths(lengths, step);
            for (var i = 0; i < step; i++) Views.Make(views + at + i, _values.Take(lengths[i]), (int)lengths[i]);
        }
        if (isText) Views.CheckText(views, count, first, _values.Bytes);
    }

    public override void Skip(int count)
    {
        var lengths = stackalloc long[LengthsAndBytes.Step];
        for (; count > 0; count -= LengthsAndBytes.Step)
        {
            var step = Math.Min(LengthsAndBytes.Step, count);
            _values.ReadLengths(lengths, step);
            for (var i = 0; i < step; i++) _values.Take(lengths[i]);
        }
    }
}

/// <summary>Of each value, how many bytes it shares with the one before, and the others. (Encodings.md, "Delta Strings")</summary>
/// <param name="width">Bytes of a value of fixed length; 0 for any length, which gives views.</param>
/// <param name="isText">Whether values must be UTF-8.</param>
/// <param name="arena">Whose memory values are put together in.</param>
internal sealed unsafe class DeltaBytesDecoder(int width, bool isText, TaskArena arena) : ValueDecoder
{
    private readonly TextHeap _heap = new(arena);
    private DeltaReader _prefixes;
    private LengthsAndBytes _suffixes;
    private NativeBuffer? _saved;
    private byte* _last;
    private long _lastLength;

    public override void Start(byte* at, byte* end, int most)
    {
        _prefixes.Start(at, end);
        _suffixes.Start(_prefixes.FindEnd(), end);
        _lastLength = 0;
    }

    public override void NextBatch()
    {
        // The last value of a batch is where the next one goes on.
        if (_lastLength > 0)
        {
            if (_saved is null || _saved.Length - TaskArena.Slack < _lastLength)
            {
                var larger = arena.Rent((int)_lastLength);
                Buffer.MemoryCopy(_last, larger.Pointer, larger.Length, _lastLength);
                if (_saved is not null) arena.Return(_saved);
                _saved = larger;
            }
            else if (_last != _saved.Pointer)
            {
                Buffer.MemoryCopy(_last, _saved.Pointer, _saved.Length, _lastLength);
            }
            _last = _saved.Pointer;
        }
        _heap.Clear();
    }

    public override void Read(byte* to, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Next();
            if (width == 0)
            {
                Views.Make((StringView*)to + i, _last, (int)_lastLength);
                continue;
            }
            if (_lastLength != width) throw new CorruptDataException("parquet", 0, $"a value has {_lastLength} bytes, where all should have {width}");
            Buffer.MemoryCopy(_last, to + ((nint)i * width), width, width);
        }
        if (!isText) return;
        for (var i = 0; i < count; i++) Views.CheckText((StringView*)to + i);
    }

    public override void Skip(int count)
    {
        for (var i = 0; i < count; i++) Next();
    }

    private void Next()
    {
        long prefix, suffix;
        _prefixes.Read(&prefix, 1);
        _suffixes.ReadLengths(&suffix, 1);
        if (prefix < 0 || prefix > _lastLength) throw new CorruptDataException("parquet", 0, $"a value should share {prefix} bytes with one of {_lastLength}");
        var rest = _suffixes.Take(suffix);
        if (suffix == 0 && prefix == _lastLength && prefix > 0) return;
        var length = prefix + suffix;
        if (length > int.MaxValue - 4096) throw new CorruptDataException("parquet", 0, $"a value should have {length:N0} bytes");
        var value = _heap.Allocate((int)length);
        Buffer.MemoryCopy(_last, value, length, prefix);
        Buffer.MemoryCopy(rest, value + prefix, suffix, suffix);
        _last = value;
        _lastLength = length;
    }
}

/// <summary>Lengths as differences, and the bytes behind them.</summary>
internal unsafe struct LengthsAndBytes
{
    /// <summary>Lengths that are read at a time.</summary>
    public const int Step = 256;

    private DeltaReader _lengths;
    private byte* _end;

    /// <summary>The next byte.</summary>
    public byte* Bytes { get; private set; }

    public void Start(byte* at, byte* end)
    {
        _lengths.Start(at, end);
        Bytes = _lengths.FindEnd();
        _end = end;
    }

    public void ReadLengths(long* to, int count) => _lengths.Read(to, count);

    /// <summary>The next bytes.</summary>
    public byte* Take(long length)
    {
        if (length < 0 || length > _end - Bytes) throw new CorruptDataException("parquet", 0, $"a value of {length:N0} bytes is announced, where its page has {_end - Bytes:N0} left");
        var bytes = Bytes;
        Bytes += length;
        return bytes;
    }
}
