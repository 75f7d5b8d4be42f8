using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Joins;

/// <summary>The values that a key of a join's build side has: rows of the other side with another value match nothing.</summary>
internal abstract unsafe class KeySet
{
    // A bit a value is worth it up to so many values for each that is there; and if all bits stay in the processor's cache anyway.
    private const long BitsOfRow = 64;
    private const long FewBits = 8 << 20;
    private const long MostBits = 1 << 30;

    /// <summary>No value is outside these; null if nothing is known of them.</summary>
    public abstract ValueBounds? Bounds { get; }

    /// <summary>Looks up values.</summary>
    /// <param name="values">A flat vector.</param>
    /// <param name="count">How many.</param>
    /// <param name="bits">Set: a bit a value; true for values that may be there. Nulls are not.</param>
    public abstract void Test(ColumnVector values, int count, ulong* bits);

    /// <summary>The values of a column.</summary>
    /// <param name="rows">The build side.</param>
    /// <param name="column">A column of it.</param>
    /// <param name="range">The range of its values; null if it has no whole numbers.</param>
    /// <param name="arena">Whose memory it takes.</param>
    public static KeySet Of(BuildRows rows, int column, KeyRange? range, SharedArena arena)
    {
        if (range is { } known && known.Length <= Math.Clamp(rows.Count * BitsOfRow, FewBits, MostBits)) return new BitKeySet(rows, column, known, arena);
        return new BloomKeySet(rows, column, range, arena);
    }

    protected static ValueBounds BoundsOf(KeyRange range) =>
        range.Length == 0 ? new ValueBounds(Int128.MaxValue, Int128.MinValue) : new ValueBounds(range.Min, (Int128)range.Min + range.Length - 1);

    protected static ulong ValidBits(ColumnVector values, int word, int count)
    {
        var all = count == 64 ? ulong.MaxValue : (1UL << count) - 1;
        return values.Validity == null ? all : values.Validity[word] & all;
    }
}

/// <summary>A bit for each value of a range.</summary>
internal sealed unsafe class BitKeySet : KeySet
{
    private readonly KeyRange _range;
    private readonly ulong* _bits;

    public BitKeySet(BuildRows rows, int column, KeyRange range, SharedArena arena)
    {
        _range = range;
        Bounds = BoundsOf(range);
        var words = (int)((range.Length + 64) >> 6);
        _bits = (ulong*)arena.Rent(words * sizeof(ulong)).Pointer;
        new Span<ulong>(_bits, words).Clear();
        var vector = new ColumnVector(rows.TypeOf(column));
        for (var chunk = 0; chunk < rows.Chunks; chunk++)
        {
            rows.Show(chunk, column, vector);
            switch (vector.Type.Physical)
            {
                case PhysicalType.Int8: Add((sbyte*)vector.Data, vector); break;
                case PhysicalType.Int16: Add((short*)vector.Data, vector); break;
                case PhysicalType.Int32: Add((int*)vector.Data, vector); break;
                default: Add((long*)vector.Data, vector); break;
            }
        }
    }

    public override ValueBounds Bounds { get; }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Test(ColumnVector values, int count, ulong* bits)
    {
        switch (values.Type.Physical)
        {
            case PhysicalType.Int8: Test((sbyte*)values.Data, values, count, bits); break;
            case PhysicalType.Int16: Test((short*)values.Data, values, count, bits); break;
            case PhysicalType.Int32: Test((int*)values.Data, values, count, bits); break;
            default: Test((long*)values.Data, values, count, bits); break;
        }
    }

    private void Add<T>(T* values, ColumnVector vector) where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        for (var i = 0; i < vector.Length; i++)
        {
            if (vector.Validity != null && vector.IsNull(i)) continue;
            var offset = (ulong)(long.CreateTruncating(values[i]) - _range.Min);
            _bits[offset >> 6] |= 1UL << (int)(offset & 63);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Test<T>(T* values, ColumnVector vector, int count, ulong* bits) where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        var min = _range.Min;
        var length = (ulong)_range.Length;
        var known = _bits;
        for (var word = 0; word << 6 < count; word++)
        {
            var found = 0UL;
            var first = word << 6;
            var rows = Math.Min(64, count - first);
            for (var i = 0; i < rows; i++)
            {
                var offset = (ulong)(long.CreateTruncating(values[first + i]) - min);

                // Outside the range a place inside it is read, and left out: no branch to guess wrong.
                var inside = offset < length ? 1UL : 0;
                offset = inside == 0 ? 0 : offset;
                found |= (known[offset >> 6] >> (int)(offset & 63) & inside) << i;
            }
            bits[word] = found & ValidBits(vector, word, rows);
        }
    }
}

/// <summary>
/// Three bits of one 64-bit word for each value (a blocked Bloom filter: F. Putze, P. Sanders and J. Singler, "Cache-, Hash- and Space-Efficient Bloom
/// Filters", 2007): a value that is there is found, one of about a hundred others too.
/// </summary>
internal sealed unsafe class BloomKeySet : KeySet
{
    private readonly ulong* _words;
    private readonly int _mask;

    public BloomKeySet(BuildRows rows, int column, KeyRange? range, SharedArena arena)
    {
        Bounds = range is { } known ? BoundsOf(known) : null;
        var words = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Clamp(rows.Count / 4, 64, 1 << 25));
        _mask = words - 1;
        _words = (ulong*)arena.Rent(words * sizeof(ulong)).Pointer;
        new Span<ulong>(_words, words).Clear();
        var vector = new ColumnVector(rows.TypeOf(column));
        var all = new ushort[ColumnBatch.MaxRows];
        var hashes = new ulong[ColumnBatch.MaxRows];
        for (var i = 0; i < all.Length; i++) all[i] = (ushort)i;
        for (var chunk = 0; chunk < rows.Chunks; chunk++)
        {
            rows.Show(chunk, column, vector);
            RowHash.Of([vector], all.AsSpan(0, vector.Length), hashes);
            for (var i = 0; i < vector.Length; i++)
            {
                if (vector.Validity == null || !vector.IsNull(i)) _words[hashes[i] & (ulong)_mask] |= BitsOf(hashes[i]);
            }
        }
    }

    public override ValueBounds? Bounds { get; }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Test(ColumnVector values, int count, ulong* bits)
    {
        var scratch = KeyScratch.Rent();
        for (var i = 0; i < count; i++) scratch.Added[i] = (ushort)i;
        RowHash.Of([values], scratch.Added.AsSpan(0, count), scratch.Hashes);
        for (var word = 0; word << 6 < count; word++)
        {
            var found = 0UL;
            var first = word << 6;
            var rows = Math.Min(64, count - first);
            for (var i = 0; i < rows; i++)
            {
                var hash = scratch.Hashes[first + i];
                var wanted = BitsOf(hash);
                if ((_words[hash & (ulong)_mask] & wanted) == wanted) found |= 1UL << i;
            }
            bits[word] = found & ValidBits(values, word, rows);
        }
        scratch.Return();
    }

    // Places of the word come from the low bits of the hash, bits in it from higher ones.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    private static ulong BitsOf(ulong hash) => (1UL << (int)(hash >> 40 & 63)) | (1UL << (int)(hash >> 46 & 63)) | (1UL << (int)(hash >> 52 & 63));
}
