using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dataflow.Files;

namespace Dataflow.Formats;

/// <summary>
/// Reads the lines that begin in one part of a file, as bytes. A line ends with <c>\n</c>, <c>\r\n</c> or a lone <c>\r</c>, or with the
/// file; whatever the parts a file is cut into, each line is read in exactly one of them.
/// </summary>
/// <remarks>
/// Scans pooled buffers with vector instructions and copies only the line that crosses a buffer's end. A line may be as long as memory
/// allows up to 2 GB. A UTF-8 mark at the start of a file is dropped; UTF-16 and UTF-32 marks are an error. One thread at a time.
/// </remarks>
public sealed class LineReader : IDisposable
{
    private const int DefaultBufferBytes = 256 * 1024;
    private const int ScanBytes = 8 * 1024;

    private readonly FileSlice _slice;
    private readonly Stream _stream;
    private readonly long _lastByte;
    private long _end;
    private byte[] _buffer;
    private int[] _endings;
    private int _endingCount;
    private int _nextEnding;
    private int _asciiFrom;
    private int _start;
    private int _scanned;
    private int _length;
    private long _bufferOffset;
    private bool _atEnd;

    /// <summary>Opens the file and finds the first line that begins in the part.</summary>
    /// <param name="slice">The part. If the file is compressed, it is all of it.</param>
    /// <exception cref="InputException">The file is gone, may not be read, or changed since the job was planned.</exception>
    public LineReader(FileSlice slice)
        : this(slice, DefaultBufferBytes) { }

    internal LineReader(FileSlice slice, int bufferBytes)
    {
        ArgumentNullException.ThrowIfNull(slice);
        _slice = slice;

        // One byte early: whether a line begins at the part's first byte is said by the byte before it.
        _bufferOffset = slice.Compressed ? 0 : Math.Max(0, slice.Offset - 1);
        _lastByte = slice.Compressed ? long.MaxValue : slice.FileLength;
        _end = slice.Compressed ? long.MaxValue : slice.Offset + slice.Length;
        _stream = slice.Compressed ? SliceStream.OpenWhole(slice) : SliceStream.OpenRaw(slice, _bufferOffset);
        _buffer = ArrayPool<byte>.Shared.Rent(bufferBytes);
        _endings = ArrayPool<int>.Shared.Rent(ScanBytes + 4);
        try
        {
            if (slice.Compressed || slice.Offset == 0) SkipMark();
            else NextLine(keep: false, out _, out _);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes read from the file so far, or made by decompressing it.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Where the next line begins, in bytes from the start of the (decompressed) file.</summary>
    public long Offset => _bufferOffset + _start;

    /// <summary>Reads the next line.</summary>
    /// <param name="line">Its bytes without the ending; valid until the next call.</param>
    /// <returns>False if no further line begins in the part.</returns>
    /// <exception cref="InputException">The file became shorter while it was read.</exception>
    public bool TryRead(out ReadOnlySpan<byte> line) => TryRead(out line, out _);

    /// <summary>As <see cref="TryRead(out ReadOnlySpan{byte})"/>; tells also what the search for line endings has seen by the way.</summary>
    /// <param name="line">Its bytes.</param>
    /// <param name="ascii">True if they are all ASCII; if false, nobody has looked closely.</param>
    internal bool TryRead(out ReadOnlySpan<byte> line, out bool ascii)
    {
        if (_bufferOffset + _start < _end && NextLine(keep: true, out var start, out var length))
        {
            line = _buffer.AsSpan(start, length);
            ascii = start >= _asciiFrom;
            return true;
        }
        line = default;
        ascii = false;
        return false;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        var buffer = _buffer;
        if (buffer.Length == 0) return;
        ArrayPool<byte>.Shared.Return(buffer);
        ArrayPool<int>.Shared.Return(_endings);
        _buffer = [];
        _endings = [];
        _start = _scanned = _length = _endingCount = _nextEnding = 0;
        _atEnd = true;
    }

    private bool NextLine(bool keep, out int start, out int length)
    {
        while (true)
        {
            if (_nextEnding < _endingCount)
            {
                var ending = _endings[_nextEnding];
                var next = ending + 1;
                if (_buffer[ending] == '\r')
                {
                    // The \n of a \r\n may not have been read yet.
                    if (next == _length && !_atEnd)
                    {
                        _scanned = ending;
                        Fill(keep);
                        continue;
                    }
                    if (next < _length && _buffer[next] == '\n')
                    {
                        next++;
                        if (_nextEnding + 1 < _endingCount) _nextEnding++;
                        else _scanned = Math.Max(_scanned, next);
                    }
                }
                _nextEnding++;
                start = _start;
                length = ending - start;
                _start = next;
                return true;
            }

            if (_scanned < _length)
            {
                Scan();
                continue;
            }
            if (!_atEnd)
            {
                Fill(keep);
                continue;
            }
            start = _start;
            length = _length - _start;
            _start = _length;
            return length > 0;
        }
    }

    // Finds the endings of a piece small enough to be still in the first cache when its lines are read, and whether it is all ASCII.
    private void Scan()
    {
        var end = Math.Min(_length, _scanned + ScanBytes);
        ref var bytes = ref MemoryMarshal.GetArrayDataReference(_buffer);
        ref var ending = ref MemoryMarshal.GetArrayDataReference(_endings);
        var (feed, back) = (Vector256.Create((byte)'\n'), Vector256.Create((byte)'\r'));
        var seen = Vector256<byte>.Zero;
        var count = 0;
        var at = _scanned;
        for (; at + 64 <= end; at += 64)
        {
            var low = Vector256.LoadUnsafe(ref bytes, (nuint)at);
            var high = Vector256.LoadUnsafe(ref bytes, (nuint)at + 32);
            seen |= low | high;
            var found = (Vector256.Equals(low, feed) | Vector256.Equals(low, back)).ExtractMostSignificantBits()
                | (ulong)(Vector256.Equals(high, feed) | Vector256.Equals(high, back)).ExtractMostSignificantBits() << 32;

            // Four are written whether or not there are so many, which spares a branch that nobody can foretell
            // (flatten_bits of Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019, section 3.1.4).
            var more = count + BitOperations.PopCount(found);
            do
            {
                for (var i = 0; i < 4; i++, found &= found - 1) Unsafe.Add(ref ending, count + i) = at + BitOperations.TrailingZeroCount(found);
                count += 4;
            }
            while (found != 0);
            count = more;
        }
        var wide = seen.ExtractMostSignificantBits() != 0;
        for (; at < end; at++)
        {
            var value = Unsafe.Add(ref bytes, at);
            wide |= value > 0x7F;
            if (value is (byte)'\n' or (byte)'\r') Unsafe.Add(ref ending, count++) = at;
        }
        if (wide) _asciiFrom = end;
        _scanned = end;
        _endingCount = count;
        _nextEnding = 0;
    }

    // Makes room behind the unread bytes and reads more; at the end of the file it only notes that.
    private void Fill(bool keep)
    {
        if (!keep) _start = _scanned;
        _endingCount = _nextEnding = 0;
        if (_start > 0)
        {
            Buffer.BlockCopy(_buffer, _start, _buffer, 0, _length - _start);
            _bufferOffset += _start;
            _length -= _start;
            _scanned -= _start;
            _asciiFrom -= _start;
            _start = 0;
        }
        if (_length == _buffer.Length) Grow();

        var room = (int)Math.Min(_buffer.Length - _length, _lastByte - _bufferOffset - _length);
        var count = room == 0 ? 0 : _stream.Read(_buffer, _length, room);
        if (count == 0)
        {
            _atEnd = true;
            if (room > 0 && !_slice.Compressed) throw SliceStream.Changed(_slice, _stream.Length);
            return;
        }
        _length += count;
        BytesRead += count;
    }

    private void Grow()
    {
        if (_buffer.Length >= Array.MaxLength)
        {
            throw new InputException(
                $"The line of '{_slice.Path}' that begins at byte {Offset:N0} has more than {_length:N0} bytes, which is more than a line can have. "
                + "If the file is not text, read it with BinaryFiles or BinaryRecords.", _slice.Path);
        }
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(2L * _buffer.Length, Array.MaxLength));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private void SkipMark()
    {
        while (_length < 4 && !_atEnd) Fill(keep: true);
        switch (_buffer.AsSpan(0, _length))
        {
            case [0xEF, 0xBB, 0xBF, ..]:
                // The mark belongs to the first line; a part that ends within it still has that line.
                _start = _scanned = 3;
                if (_end is > 0 and <= 3) _end = 4;
                break;
            case [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, 0, 0xFE, 0xFF, ..]:
                throw new InputException(
                    $"'{_slice.Path}' begins with the mark of UTF-16 or UTF-32; lines are read as UTF-8. "
                    + "Convert it (iconv -f UTF-16 -t UTF-8), or read it with WholeTextFiles, which knows these encodings.", _slice.Path);
        }
    }
}
