namespace Dataflow.Sql.ParquetEncodings;

/// <summary>The first bytes of all values, then the second ones, and so on. (Encodings.md, "Byte Stream Split")</summary>
/// <param name="width">Bytes of a value.</param>
internal sealed unsafe class ByteStreamSplitDecoder(int width) : ValueDecoder
{
    private byte* _start;
    private long _count;
    private long _at;

    public override void Start(byte* at, byte* end, int most)
    {
        _start = at;
        _count = (end - at) / width;
        _at = 0;
    }

    public override void Read(byte* to, int count)
    {
        var from = _start + _at;
        Skip(count);
        if (width == 4)
        {
            for (var i = 0; i < count; i++)
            {
                ((uint*)to)[i] = from[i] | (uint)from[_count + i] << 8 | (uint)from[(2 * _count) + i] << 16 | (uint)from[(3 * _count) + i] << 24;
            }
            return;
        }
        for (var part = 0; part < width; part++)
        {
            var stream = from + (part * _count);
            for (var i = 0; i < count; i++) to[((nint)i * width) + part] = stream[i];
        }
    }

    public override void Skip(int count)
    {
        if (count > _count - _at) throw Ended();
        _at += count;
    }
}
