using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Csv;

/// <summary>
/// Finds where fields and records of a piece of a CSV file begin and end. Sixty-four bytes at a time where there are no quotes; byte by byte in words that
/// have some.
/// </summary>
internal sealed unsafe class CsvIndexer
{
    private const ulong QuotedFlag = 1UL << 63;
    private const int Mask = int.MaxValue;

    private readonly TaskArena _arena;
    private readonly CsvDialect _dialect;
    private readonly CsvStates _states;
    private readonly int[] _firstFields;
    private readonly int _mostRows;
    private NativeBuffer _fields;
    private int _capacity;

    public CsvIndexer(TaskArena arena, CsvDialect dialect, int mostRows)
    {
        _arena = arena;
        _dialect = dialect;
        _states = new CsvStates(dialect);
        _mostRows = mostRows;
        _firstFields = new int[mostRows + 1];
        _fields = arena.Rent(64 << 10);
        _capacity = (64 << 10) / sizeof(ulong);
    }

    /// <summary>Most records that one search finds.</summary>
    public int MostRows => _mostRows;

    /// <summary>Records that were found.</summary>
    public int Rows { get; private set; }

    /// <summary>Fields of all records, one behind the other.</summary>
    public ulong* Fields => (ulong*)_fields.Pointer;

    /// <summary>Where the next record begins.</summary>
    public int Next { get; private set; }

    /// <summary>Whether all records have as many fields.</summary>
    public bool IsRegular(int width)
    {
        for (var row = 0; row < Rows; row++)
        {
            if (FieldCount(row) != width) return false;
        }
        return true;
    }

    /// <summary>The place of a record's first field.</summary>
    public int FirstField(int row) => _firstFields[row];

    /// <summary>How many fields a record has.</summary>
    public int FieldCount(int row) => _firstFields[row + 1] - _firstFields[row];

    /// <summary>Where a record lies in the data.</summary>
    public (int Start, int Length) Record(int row)
    {
        var start = StartOf(Fields[_firstFields[row]]);
        return (start, EndOf(Fields[_firstFields[row + 1] - 1]) - start);
    }

    public static int StartOf(ulong field) => (int)field & Mask;

    public static int EndOf(ulong field) => (int)(field >> 32) & Mask;

    public static bool IsQuoted(ulong field) => (field & QuotedFlag) != 0;

    /// <summary>Finds records.</summary>
    /// <param name="data">The bytes; 64 past the end may be read.</param>
    /// <param name="from">Where a record begins.</param>
    /// <param name="length">How many bytes there are.</param>
    /// <param name="stop">No record that begins there or behind is wanted.</param>
    /// <param name="isLast">Whether the file ends with these bytes.</param>
    /// <param name="mostRows">How many records are enough.</param>
    /// <returns>Whether it stopped because there were enough; else it came to the end of the bytes.</returns>
    public bool Find(byte* data, int from, int length, int stop, bool isLast, int mostRows)
    {
        Rows = 0;
        Next = from;
        mostRows = Math.Min(mostRows, _mostRows);
        if (from >= stop) return true;
        var walk = new Walk(this, data, from, stop, mostRows);
        if (_dialect.Comment >= 0) return walk.ByBytes(from, length, isLast);
        return walk.ByWords(from, length, isLast);
    }

    private void Grow()
    {
        var larger = _arena.Rent(checked(_fields.Length * 2));
        Buffer.MemoryCopy(_fields.Pointer, larger.Pointer, larger.Length, (long)_capacity * sizeof(ulong));
        _arena.Return(_fields);
        _fields = larger;
        _capacity *= 2;
    }

    /// <summary>One search.</summary>
    private ref struct Walk(CsvIndexer index, byte* data, int from, int stop, int mostRows)
    {
        private readonly CsvDialect _dialect = index._dialect;
        private ulong* _fields = index.Fields;
        private int _count;
        private int _rowFirst;
        private int _start = from;
        private CsvState _state = CsvState.RecordStart;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public bool ByWords(int from, int length, bool isLast)
        {
            var delimiter = Vector256.Create(_dialect.Delimiter);
            var feed = Vector256.Create((byte)'\n');
            var quote = Vector256.Create((byte)_dialect.Quote);
            var hasQuotes = _dialect.Quote >= 0;
            for (var at = from; at < length; at += 64)
            {
                if (_count + 66 > index._capacity)
                {
                    // Records that are whole are given first; one of very many fields needs more room.
                    if (index.Rows > 0) return true;
                    index.Grow();
                    _fields = index.Fields;
                }
                var low = Vector256.Load(data + at);
                var high = Vector256.Load(data + at + 32);
                var valid = length - at >= 64 ? ulong.MaxValue : (1UL << (length - at)) - 1;
                var quotes = hasQuotes ? Bits(low, high, quote) & valid : 0;
                if (quotes != 0 || _state > CsvState.Plain)
                {
                    // Nothing happens between quotes but quotes; ends of lines where those end records.
                    if (quotes == 0 && _state == CsvState.Quoted && _dialect.IsMultiLine && _dialect.Escape == _dialect.Quote) continue;
                    if (Bytes(at, Math.Min(at + 64, length))) return true;
                    continue;
                }
                var feeds = Bits(low, high, feed) & valid;
                var ends = feeds | (Bits(low, high, delimiter) & valid);
                for (; ends != 0; ends &= ends - 1)
                {
                    var bit = BitOperations.TrailingZeroCount(ends);
                    var end = at + bit;
                    if ((feeds >> bit & 1) != 0)
                    {
                        if (EndRecord(end)) return true;
                        continue;
                    }
                    _fields[_count++] = (uint)_start | ((ulong)(uint)end << 32);
                    _start = end + 1;
                }
                _state = _start == Math.Min(at + 64, length) ? CsvState.FieldStart : CsvState.Plain;
            }
            return AtEnd(length, isLast);
        }

        public bool ByBytes(int from, int length, bool isLast)
        {
            for (var at = from; at < length; at++)
            {
                if (_count + 66 > index._capacity)
                {
                    if (index.Rows > 0) return true;
                    index.Grow();
                    _fields = index.Fields;
                }
                if (at == _start && _count == _rowFirst && data[at] == _dialect.Comment)
                {
                    var line = new ReadOnlySpan<byte>(data + at, length - at).IndexOf((byte)'\n');
                    if (line < 0)
                    {
                        if (isLast) index.Next = length;
                        return false;
                    }
                    at += line;
                    _start = at + 1;
                    index.Next = _start;
                    if (_start >= stop) return true;
                    continue;
                }
                if (Bytes(at, at + 1)) return true;
            }
            return AtEnd(length, isLast);
        }

        private static ulong Bits(Vector256<byte> low, Vector256<byte> high, Vector256<byte> what) =>
            Vector256.Equals(low, what).ExtractMostSignificantBits() | ((ulong)Vector256.Equals(high, what).ExtractMostSignificantBits() << 32);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private bool Bytes(int at, int end)
        {
            for (; at < end; at++)
            {
                var value = data[at];
                var before = _state;
                _state = index._states.Next(before, value);
                if (_state == CsvState.RecordStart)
                {
                    if (EndRecord(at)) return true;
                }
                else if (_state == CsvState.FieldStart)
                {
                    EndField(at);
                    _start = at + 1;
                }
            }
            return false;
        }

        private void EndField(int end)
        {
            var isQuoted = end > _start && _dialect.Quote >= 0 && data[_start] == _dialect.Quote;
            _fields[_count++] = (uint)_start | ((ulong)(uint)end << 32) | (isQuoted ? QuotedFlag : 0);
        }

        private bool EndRecord(int at)
        {
            var end = at > _start && data[at - 1] == '\r' ? at - 1 : at;
            EndField(end);
            // An empty line is no record.
            if (_count == _rowFirst + 1 && end == _start)
            {
                _count = _rowFirst;
            }
            else
            {
                index._firstFields[index.Rows++] = _rowFirst;
                index._firstFields[index.Rows] = _count;
                _rowFirst = _count;
            }
            _start = at + 1;
            _state = CsvState.RecordStart;
            index.Next = at + 1;
            return index.Rows == mostRows || _start >= stop;
        }

        private bool AtEnd(int length, bool isLast)
        {
            if (!isLast) return false;
            if (_start < length || _count > _rowFirst) EndRecord(length);
            index.Next = length;
            return false;
        }
    }
}
