namespace Dataflow.Sql.ParquetEncodings;

/// <summary>Reads numbers that are stored as differences, in blocks of small packed ones. Goes on where it stopped. (Encodings.md, "Delta Encoding")</summary>
internal unsafe struct DeltaReader
{
    private const int Step = 128;

    private byte* _at;
    private byte* _end;
    private int _miniValues;
    private int _minisOfBlock;
    private long _left;
    private long _value;
    private bool _isFirst;
    private long _minDelta;
    private byte* _widths;
    private int _minisLeft;
    private int _width;
    private byte* _mini;
    private long _miniAt;
    private long _miniLeft;

    /// <summary>Values that are left.</summary>
    public readonly long Left => _left;

    /// <summary>Begins.</summary>
    public void Start(byte* at, byte* end)
    {
        this = default;
        _at = at;
        _end = end;
        _isFirst = true;
        if (at == end) return;
        var block = Varint();
        var minis = Varint();
        var count = Varint();
        _value = ZigZag();
        if (block is 0 or > int.MaxValue || minis == 0 || minis > block || block % minis != 0 || block / minis % 8 != 0 || count > int.MaxValue)
            throw new CorruptDataException("parquet", 0, $"a page of differences has blocks of {block} values in {minis} parts, {count} values in all");
        _minisOfBlock = (int)minis;
        _miniValues = (int)(block / minis);
        _left = (long)count;
    }

    /// <summary>Reads the next values.</summary>
    public void Read(long* to, int count)
    {
        if (count > _left) throw Ended();
        _left -= count;
        if (count > 0 && _isFirst)
        {
            _isFirst = false;
            *to++ = _value;
            count--;
        }
        while (count > 0)
        {
            if (_miniLeft == 0) NextMini(_left + count);
            var step = (int)Math.Min(Math.Min(count, _miniLeft), Step);
            Add(to, step);
            to += step;
            count -= step;
        }
    }

    /// <summary>Passes over values: they are added up all the same.</summary>
    public void Skip(int count)
    {
        var passed = stackalloc long[Step];
        for (; count > 0; count -= Step) Read(passed, Math.Min(count, Step));
    }

    /// <summary>Where the numbers end: the byte behind the last block. Values are not read.</summary>
    public readonly byte* FindEnd()
    {
        var copy = this;
        for (var values = copy._left - 1; values > 0; values -= copy._miniLeft) copy.NextMini(values);
        return copy._at;
    }

    private void Add(long* to, int count)
    {
        var value = _value;
        var min = _minDelta;
        if (_width <= 32 && (_miniAt & 7) == 0)
        {
            var packed = stackalloc uint[Step];
            BitUnpack.Run(_mini + (_miniAt * _width / 8), _width, packed, count);
            for (var i = 0; i < count; i++) to[i] = value += min + packed[i];
        }
        else
        {
            for (var i = 0; i < count; i++) to[i] = value += min + (long)One(_miniAt + i);
        }
        _value = value;
        _miniAt += count;
        _miniLeft -= count;
    }

    private readonly ulong One(long index)
    {
        var bit = index * _width;
        var shift = (int)(bit & 7);
        var low = *(ulong*)(_mini + (bit >> 3)) >> shift;
        if (shift + _width > 64) low |= (ulong)_mini[(bit >> 3) + 8] << (64 - shift);
        return _width == 64 ? low : low & ((1UL << _width) - 1);
    }

    private void NextMini(long wanted)
    {
        if (_minisLeft == 0)
        {
            _minDelta = ZigZag();
            if (_end - _at < _minisOfBlock) throw Ended();
            _widths = _at;
            _at += _minisOfBlock;
            _minisLeft = _minisOfBlock;
        }
        _width = *_widths++;
        _minisLeft--;
        if (_width > 64) throw new CorruptDataException("parquet", 0, $"differences of {_width} bits are announced, where at most 64 are allowed");
        _mini = _at;
        _miniAt = 0;
        _miniLeft = _miniValues;
        var bytes = (long)_miniValues * _width / 8;
        if (bytes > _end - _at)
        {
            // Some writers leave out the bytes of the last part that hold no values.
            if (((Math.Min(wanted, _miniValues) * _width) + 7) / 8 > _end - _at) throw Ended();
            bytes = _end - _at;
        }
        _at += bytes;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_at >= _end) throw Ended();
            var next = *_at++;
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
        throw new CorruptDataException("parquet", 0, "a number of a page of differences has more than 10 bytes");
    }

    private long ZigZag()
    {
        var value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private static CorruptDataException Ended() => new("parquet", 0, "a page of differences ends before its values do");
}
