using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Exchange;

/// <summary>
/// Places rows by partition and hands them over as frames of at most a batch's rows. Where the reader wants it, frames hold rows of one hash range
/// (<see cref="HashDistribution.HasRanges"/>): their tag is its number, or <see cref="AllRanges"/> where there are few rows.
/// </summary>
/// <remarks>Frames are cut by rows and their bytes, never by memory that is left: the same rows give the same frames.</remarks>
internal sealed unsafe class PartitionWriter
{
    /// <summary>The tag of frames that hold rows of any range.</summary>
    public const int AllRanges = 0;

    // Ranges are told by the first bits of hashes, whatever the partitions are.
    private const int MostRangeBits = 8;
    private const int LeastRangeBits = 3;
    private const int LeastFrameRows = 256;

    // Few columns and partitions fill a batch; many would hold too much memory before they do.
    private const long LeastBytes = 256 << 10;
    private const long MostBytes = 8 << 20;

    // Rows from which on they are told apart by range: fewer would make many small frames.
    private const long ManyRows = 16 << 10;

    private readonly Distribution _distribution;
    private readonly MapOutputWriter _output;
    private readonly TaskArena _arena;
    private readonly DataType[] _types;
    private readonly ColumnVector[] _keys;
    private readonly int _depth;
    private readonly long _mostBytes;
    private readonly ulong[] _hashes = new ulong[ColumnBatch.MaxRows];
    private readonly ushort[] _placed = new ushort[ColumnBatch.MaxRows];
    private readonly int[] _targets = new int[ColumnBatch.MaxRows];
    private RowStore?[] _stores = [];
    private int[] _starts = [];
    private int[] _ends = [];
    private int _frameRows;
    private long _frameBytes;
    private long _rows;
    private int _rangeBits;
    private int _next;

    /// <param name="distribution">Where rows go.</param>
    /// <param name="types">The types of the columns.</param>
    /// <param name="output">Takes the frames.</param>
    /// <param name="arena">Memory.</param>
    /// <param name="depth">How often the rows were placed by hash before: bits that decided then do not decide again.</param>
    public PartitionWriter(Distribution distribution, IReadOnlyList<DataType> types, MapOutputWriter output, TaskArena arena, int depth = 0)
    {
        _distribution = distribution;
        _output = output;
        _arena = arena;
        _depth = depth;
        _mostBytes = arena.ShareOfBudget(16, LeastBytes, MostBytes);
        _types = [.. types];
        _keys = new ColumnVector[distribution is HashDistribution hash ? hash.Keys.Count : 0];
        Prepare(distribution.Partitions);
    }

    /// <summary>Of how many first bits of the hash a tag tells; 0 for none.</summary>
    public static int BitsOf(int tag) => tag >> MostRangeBits;

    /// <summary>Which range of rows a tag tells, of fewer and larger ones than the writer had or of as many.</summary>
    public static int RangeOf(int tag, int bits) => (tag & ((1 << MostRangeBits) - 1)) >> (BitsOf(tag) - bits);

    /// <summary>The partition of rows with a hash, of so many.</summary>
    public static int PartitionOf(ulong hash, ulong partitions) => (int)((hash >> 32) * partitions >> 32);

    /// <summary>Adds the rows of a batch that count.</summary>
    public void Add(ColumnBatch batch)
    {
        if (_rangeBits == 0 && _rows >= ManyRows && _distribution is HashDistribution { HasRanges: true }) Split();
        _rows += batch.Alive;
        Add(batch.Columns, batch.Selection);
    }

    /// <summary>Hands over what is left.</summary>
    public void Finish()
    {
        for (var i = 0; i < _stores.Length; i++) Flush(i);
    }

    private void Prepare(int stores)
    {
        _stores = new RowStore?[stores];
        _starts = new int[stores + 1];
        _ends = new int[stores];
        var width = Math.Max(8, _types.Sum(type => Math.Max(1, type.ByteWidth)));
        _frameRows = (int)Math.Clamp(_mostBytes / width / stores, LeastFrameRows, ColumnBatch.MaxRows);
        _frameBytes = Math.Clamp(_mostBytes / stores, 16 << 10, 1 << 20);
    }

    private void Add(ColumnVector[] columns, ReadOnlySpan<ushort> rows)
    {
        if (_stores.Length == 1)
        {
            Add(0, columns, rows);
            return;
        }
        Place(columns, rows);

        // Counted, then put in order: each store takes its rows at once.
        _starts.AsSpan().Clear();
        for (var i = 0; i < rows.Length; i++) _starts[_targets[i] + 1]++;
        for (var i = 0; i < _stores.Length; i++) _starts[i + 1] += _starts[i];
        _starts.AsSpan(0, _stores.Length).CopyTo(_ends);
        for (var i = 0; i < rows.Length; i++) _placed[_ends[_targets[i]]++] = rows[i];
        for (var i = 0; i < _stores.Length; i++)
        {
            if (_starts[i + 1] > _starts[i]) Add(i, columns, _placed.AsSpan(_starts[i], _starts[i + 1] - _starts[i]));
        }
    }

    private void Place(ColumnVector[] columns, ReadOnlySpan<ushort> rows)
    {
        if (_distribution is not HashDistribution hash)
        {
            for (var i = 0; i < rows.Length; i++)
            {
                _targets[i] = _next;
                _next = _next + 1 == _stores.Length ? 0 : _next + 1;
            }
            return;
        }
        for (var i = 0; i < _keys.Length; i++) _keys[i] = columns[hash.Keys[i]];
        RowHash.Of(_keys, rows, _hashes);
        if (_depth > 0)
        {
            for (var i = 0; i < rows.Length; i++) _hashes[i] = RowHash.Mix(_hashes[i] + (ulong)_depth);
        }
        var partitions = (ulong)hash.Partitions;
        if (_rangeBits == 0)
        {
            for (var i = 0; i < rows.Length; i++) _targets[i] = PartitionOf(_hashes[i], partitions);
            return;
        }

        // Both numbers grow with the hash, so that their sum names one pair of them.
        var shift = 64 - _rangeBits;
        for (var i = 0; i < rows.Length; i++) _targets[i] = (int)(_hashes[i] >> shift) + PartitionOf(_hashes[i], partitions);
    }

    private void Add(int bucket, ColumnVector[] columns, ReadOnlySpan<ushort> rows)
    {
        var store = _stores[bucket] ??= new RowStore(_arena, _types);
        while (rows.Length > 0)
        {
            var count = Math.Min(rows.Length, _frameRows - store.Count);
            store.Append(columns, rows[..count]);
            rows = rows[count..];
            if (store.Count == _frameRows || store.TextBytes > _frameBytes) Flush(bucket);
        }
    }

    // Rows that wait are placed anew.
    private void Split()
    {
        var before = _stores;
        var width = _types.Sum(type => type.Physical == PhysicalType.View ? 64L : Math.Max(1L, type.ByteWidth));
        _rangeBits = MostRangeBits;
        while (_rangeBits > LeastRangeBits && (width * LeastFrameRows) << _rangeBits > _mostBytes) _rangeBits--;
        Prepare((1 << _rangeBits) + before.Length);
        var gatherer = new RowGatherer(_arena, _types);
        foreach (var store in before)
        {
            if (store is null) continue;
            for (var start = 0; start < store.Count; start += ColumnBatch.MaxRows)
            {
                var batch = gatherer.Gather(store, [.. Enumerable.Range(start, Math.Min(ColumnBatch.MaxRows, store.Count - start))]);
                Add(batch.Columns, batch.Selection);
            }
            store.Return();
        }
        gatherer.Return(_arena);
    }

    private void Flush(int bucket)
    {
        if (_stores[bucket] is not { Count: > 0 } store) return;
        var size = Frame.SizeOf(store);
        var buffer = _output.Pool.Rent(size + TaskArena.Slack);
        Frame.Write(store, buffer.Pointer);
        var (partition, tag) = _rangeBits == 0 ? (bucket, AllRanges) : PlaceOf(bucket);
        _output.Add(partition, tag, buffer, size, store.Count);
        store.Clear();
    }

    // Of the pairs with one sum only one occurs: that of a range that reaches into the partition.
    private (int Partition, int Tag) PlaceOf(int bucket)
    {
        var partitions = _distribution.Partitions;
        for (var partition = Math.Min(bucket, partitions - 1); ; partition--)
        {
            var range = bucket - partition;
            if ((long)range * partitions >> _rangeBits <= partition && partition <= (((range + 1L) * partitions) - 1) >> _rangeBits)
                return (partition, (_rangeBits << MostRangeBits) | range);
        }
    }
}
