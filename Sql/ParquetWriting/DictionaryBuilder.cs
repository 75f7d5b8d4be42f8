using System.Numerics;
using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Storage;

namespace Dataflow.Sql.ParquetWriting;

/// <summary>Finds the different values of a column and gives each row the code of its own; gives up when there are too many to be worth it.</summary>
internal sealed unsafe class DictionaryBuilder(TaskArena arena)
{
    private const int MostBytes = 1 << 20;
    private const int FirstLook = 4096;
    private const int ShortBytes = 16;

    private readonly NativeBytes _codes = new(arena);
    private readonly NativeBytes _starts = new(arena);
    private NativeBuffer? _slots;
    private uint[] _hashes = [];
    private (ulong Low, ulong High)[] _shorts = [];

    /// <summary>The different values, plainly encoded, in the order in which they came.</summary>
    public NativeBytes Values { get; } = new(arena);

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>A code a value.</summary>
    public uint* Codes => (uint*)_codes.Pointer;

    /// <summary>Where in <see cref="Values"/> each value begins.</summary>
    public int* Starts => (int*)_starts.Pointer;

    /// <summary>Tries to make a dictionary.</summary>
    /// <param name="values">Values, plainly encoded.</param>
    /// <param name="count">How many.</param>
    /// <param name="column">How they are stored.</param>
    /// <returns>False if there are more than a quarter as many different ones, or more than a megabyte of them.</returns>
    public bool TryBuild(byte* values, int count, WrittenColumn column)
    {
        var width = column.Width;
        _codes.Clear();
        _starts.Clear();
        Values.Clear();
        Count = 0;
        if (count == 0) return false;
        var limit = Math.Max(count / 4, Math.Min(count, 16));
        var codes = (uint*)_codes.Reserve((count * sizeof(uint)) + 64);
        var isBuilt = column.Stored switch
        {
            StoredKind.Int32 => TryRange((int*)values, count, limit, codes),
            StoredKind.Int64 => TryRange((long*)values, count, limit, codes),
            _ => null,
        } ?? TryHash(values, count, width, limit, codes);
        if (isBuilt) _codes.Advance(count * sizeof(uint));
        return isBuilt;
    }

    // Integers that lie close together need no hash: a table has a place for each. Null if they don't.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool? TryRange<T>(T* values, int count, int limit, uint* codes)
        where T : unmanaged, IBinaryInteger<T>
    {
        var (low, high) = Extremes.Of(values, count);
        var range = UInt128.CreateTruncating(Int128.CreateTruncating(high) - Int128.CreateTruncating(low)) + 1;
        if (range > (UInt128)Math.Max(count * 4L, 1 << 10)) return null;
        var table = Slots((int)range);
        for (var i = 0; i < count; i++)
        {
            ref var place = ref table[int.CreateTruncating(values[i] - low)];
            if (place == 0)
            {
                if (Count == limit || IsTooMany(i)) return false;
                Add((byte*)(values + i), sizeof(T));
                place = Count;
            }
            codes[i] = (uint)(place - 1);
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryHash(byte* values, int count, int width, int limit, uint* codes)
    {
        var slots = (int)BitOperations.RoundUpToPowerOf2((uint)(limit * 2) + 2);
        var table = Slots(slots);
        if (_hashes.Length < limit) (_hashes, _shorts) = (new uint[limit], new (ulong, ulong)[limit]);
        var at = values;
        for (var i = 0; i < count; i++)
        {
            var length = width == 0 ? 4 + *(int*)at : width;
            var code = width switch
            {
                4 => Find(table, slots, at, 4, limit, Mix(*(uint*)at)),
                8 => Find(table, slots, at, 8, limit, Mix(*(ulong*)at)),
                0 when length <= ShortBytes => FindShort(table, slots, at, length, limit),
                _ => Find(table, slots, at, length, limit, Hash(at, length)),
            };
            if (code < 0 || IsTooMany(i)) return false;
            codes[i] = (uint)code;
            at += length;
        }
        return true;
    }

    private bool IsTooMany(int at) => Values.Length > MostBytes || (at >= FirstLook && at < 2 * FirstLook && Count > at / 10 * 9);

    private void Add(byte* value, int length)
    {
        *(int*)_starts.Reserve(sizeof(int)) = Values.Length;
        _starts.Advance(sizeof(int));
        Values.Add(new ReadOnlySpan<byte>(value, length));
        Count++;
    }

    private int Find(int* table, int slots, byte* value, int length, int limit, ulong hash)
    {
        var mask = slots - 1;
        var mark = (uint)hash;
        for (var slot = (int)(hash >> 40) & mask; ; slot = (slot + 1) & mask)
        {
            var code = table[slot] - 1;
            if (code < 0)
            {
                if (Count == limit) return -1;
                _hashes[Count] = mark;
                _shorts[Count] = default;
                Add(value, length);
                table[slot] = Count;
                return Count - 1;
            }
            if (_hashes[code] != mark) continue;
            var known = Values.Pointer + Starts[code];
            if (length switch
            {
                4 => *(uint*)known == *(uint*)value,
                8 => *(ulong*)known == *(ulong*)value,
                _ => new ReadOnlySpan<byte>(known, LengthOf(code)).SequenceEqual(new ReadOnlySpan<byte>(value, length)),
            }) return code;
        }
    }

    // A short text and its length fit two words, which are compared as such. Longer ones have another length, so the two kinds never meet.
    private int FindShort(int* table, int slots, byte* value, int length, int limit)
    {
        var low = *(ulong*)value & Mask(length);
        var high = length > 8 ? *(ulong*)(value + 8) & Mask(length - 8) : 0;
        var hash = Mix(low ^ BitOperations.RotateLeft(high * 0x9E3779B97F4A7C15, 31));
        var mask = slots - 1;
        for (var slot = (int)(hash >> 40) & mask; ; slot = (slot + 1) & mask)
        {
            var code = table[slot] - 1;
            if (code < 0)
            {
                if (Count == limit) return -1;
                _hashes[Count] = (uint)hash;
                _shorts[Count] = (low, high);
                Add(value, length);
                table[slot] = Count;
                return Count - 1;
            }
            if (_shorts[code].Low == low && _shorts[code].High == high) return code;
        }
    }

    private static ulong Mask(int bytes) => bytes >= 8 ? ulong.MaxValue : (1UL << (8 * bytes)) - 1;

    /// <summary>Bytes of a value, with its length if it has one.</summary>
    public int LengthOf(int code) => (code + 1 < Count ? Starts[code + 1] : Values.Length) - Starts[code];

    private int* Slots(int count)
    {
        var bytes = count * sizeof(int);
        if (_slots is null || _slots.Length - TaskArena.Slack < bytes)
        {
            if (_slots is not null) arena.Return(_slots);
            _slots = arena.Rent(bytes);
        }
        new Span<byte>(_slots.Pointer, bytes).Clear();
        return (int*)_slots.Pointer;
    }

    private static ulong Mix(ulong value)
    {
        value *= 0x9E3779B97F4A7C15;
        return (value ^ value >> 32) * 0xD6E8FEB86659FD93;
    }

    // Up to eight bytes past the value are read and left out: buffers have slack.
    private static ulong Hash(byte* value, int length)
    {
        var hash = (ulong)length;
        for (; length >= 8; length -= 8, value += 8) hash = Mix(hash ^ *(ulong*)value);
        return length == 0 ? hash : Mix(hash ^ (*(ulong*)value & ((1UL << (8 * length)) - 1)));
    }
}
