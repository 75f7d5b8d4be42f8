namespace Dataflow.Sql.ParquetEncodings;

/// <summary>Reads numbers in runs: one value many times, or packed bits. Goes on where it stopped. (Apache Parquet format, Encodings.md, "RLE/Bit-Packing Hybrid")</summary>
/// <remarks>Bytes behind the end are read up to the slack of buffers, but never used.</remarks>
internal unsafe struct HybridReader
{
    private byte* _at;
    private byte* _end;
    private int _width;
    private int _repeats;
    private uint _value;
    private byte* _packed;
    private long _packedAt;
    private long _packedLeft;

    /// <summary>Begins.</summary>
    /// <param name="at">The first run.</param>
    /// <param name="end">Past the last byte.</param>
    /// <param name="width">Bits of a number, 0 to 32.</param>
    public void Start(byte* at, byte* end, int width)
    {
        if (width is < 0 or > 32) throw new CorruptDataException("parquet", 0, $"numbers of {width} bits are announced, where at most 32 are allowed");
        _at = at;
        _end = end;
        _width = width;
        _repeats = 0;
        _packedLeft = 0;
    }

    /// <summary>Reads the next numbers.</summary>
    public void Read(uint* to, int count)
    {
        while (count > 0)
        {
            int step;
            if (_repeats > 0)
            {
                step = Math.Min(count, _repeats);
                new Span<uint>(to, step).Fill(_value);
                _repeats -= step;
            }
            else if (_packedLeft > 0)
            {
                step = (int)Math.Min(count, _packedLeft);
                Unpack(to, step);
            }
            else
            {
                NextRun();
                continue;
            }
            to += step;
            count -= step;
        }
    }

    /// <summary>Passes over numbers.</summary>
    public void Skip(int count)
    {
        while (count > 0)
        {
            if (_repeats == 0 && _packedLeft == 0) NextRun();
            var step = (int)Math.Min(count, _repeats > 0 ? _repeats : _packedLeft);
            if (_repeats > 0) _repeats -= step;
            else PassPacked(step);
            count -= step;
        }
    }

    /// <summary>Reads numbers of one bit into a bitmap.</summary>
    /// <returns>How many of them are ones.</returns>
    public int ReadBits(ulong* bits, int at, int count)
    {
        var ones = 0;
        while (count > 0)
        {
            if (_repeats == 0 && _packedLeft == 0) NextRun();
            var step = (int)Math.Min(count, _repeats > 0 ? _repeats : _packedLeft);
            if (_repeats > 0)
            {
                BitRuns.Fill(bits, at, step, _value != 0);
                if (_value != 0) ones += step;
                _repeats -= step;
            }
            else
            {
                BitRuns.Copy(_packed, _packedAt, bits, at, step);
                ones += BitRuns.Count(bits, at, step);
                PassPacked(step);
            }
            at += step;
            count -= step;
        }
        return ones;
    }

    /// <summary>Whether the next so many numbers are certainly all the same, and which.</summary>
    public bool IsRepeated(int count, out uint value)
    {
        if (_repeats == 0 && _packedLeft == 0 && _at < _end) NextRun();
        value = _value;
        return _repeats >= count;
    }

    private void PassPacked(int count)
    {
        _packedAt += count;
        _packedLeft -= count;
    }

    private void Unpack(uint* to, int count)
    {
        // Up to the next byte that a number begins at, one by one: numbers of a whole group of eight end there.
        var first = Math.Min(count, (int)(-_packedAt & 7));
        for (var i = 0; i < first; i++) to[i] = BitUnpack.One(_packed, _width, _packedAt + i);
        BitUnpack.Run(_packed + ((_packedAt + first) * _width / 8), _width, to + first, count - first);
        PassPacked(count);
    }

    private void NextRun()
    {
        var head = 0u;
        for (var shift = 0; ; shift += 7)
        {
            if (_at >= _end || shift > 28) throw new CorruptDataException("parquet", 0, "a page's runs end before its values do");
            var next = *_at++;
            head |= (uint)(next & 0x7F) << shift;
            if (next < 0x80) break;
        }
        if ((head & 1) == 0)
        {
            var bytes = (_width + 7) / 8;
            if (_end - _at < bytes) throw new CorruptDataException("parquet", 0, "a page ends inside a run");
            _value = 0;
            for (var i = 0; i < bytes; i++) _value |= (uint)_at[i] << (8 * i);
            _at += bytes;
            _repeats = (int)(head >> 1);
            if (_repeats == 0) throw new CorruptDataException("parquet", 0, "a page has a run of no values");
            return;
        }

        var groups = head >> 1;
        if (groups == 0) throw new CorruptDataException("parquet", 0, "a page has a run of no values");
        _packed = _at;
        _packedAt = 0;
        _packedLeft = groups * 8L;

        // Some writers leave out the bytes of the last group that hold no values.
        var wanted = (long)groups * _width;
        if (wanted <= _end - _at)
        {
            _at += wanted;
            return;
        }
        _packedLeft = Math.Min(_packedLeft, (_end - _at) * 8 / Math.Max(1, _width));
        if (_packedLeft == 0) throw new CorruptDataException("parquet", 0, "a page ends inside a run");
        _at = _end;
    }
}
