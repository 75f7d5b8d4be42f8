using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Errors;
using Dataflow.Hashing;

namespace Dataflow.Shuffle;

/// <summary>
/// Places a chunk of pairs: the hash of each key and the bucket it belongs to. A reduce partition is cut into hash ranges (tags), so that
/// its reader can take one range at a time, with a table that stays in the processor's cache.
/// </summary>
internal sealed class PairPlacer<TKey>
{
    private readonly Partitioner<TKey> _partitioner;
    private readonly bool _byHash;
    private readonly bool _hashes;
    private readonly TKey[] _keys = new TKey[Length];

    /// <summary>Most pairs placed at once.</summary>
    public const int Length = ChunkReader<TKey>.DefaultLength;

    /// <param name="partitioner">Chooses the reduce partition.</param>
    /// <param name="tags">Hash ranges of a reduce partition: <see cref="TagsFor"/>, or 1 for a reader that does not look keys up.</param>
    public PairPlacer(Partitioner<TKey> partitioner, int tags)
    {
        _partitioner = partitioner;
        _byHash = partitioner is IHashPartitioner;
        Tags = tags;

        // A placement of the user's own may move keys that have no hash, as long as nobody looks for equal ones.
        _hashes = StableHash.CanHash(typeof(TKey), out _);
    }

    public int Tags { get; }

    public uint[] Hashes { get; } = new uint[Length];

    public int[] Buckets { get; } = new int[Length];

    /// <summary>A sum over all pairs placed, the same for the same pairs in any order: see <see cref="Fingerprint{T}"/>.</summary>
    public ulong Checksum { get; private set; }

    /// <summary>Hash ranges of a reduce partition: few when there are many partitions, so that a map task keeps to some hundred buckets.</summary>
    public static int TagsFor(int partitions) => Math.Clamp(128 / partitions, 1, 64);

    /// <summary>The hash range of a key within its reduce partition.</summary>
    public int TagOf(uint hash) =>
        StableHash.PartitionOf(hash, _byHash ? _partitioner.PartitionCount * Tags : Tags) % Tags;

    /// <summary>Fills <see cref="Buckets"/> for at most <see cref="Length"/> pairs.</summary>
    public void Place<TValue>(ReadOnlySpan<(TKey Key, TValue Value)> rows)
    {
        if (rows.IsEmpty) return;
        if (_hashes) StableHash<TKey>.OfMany(in rows[0].Key, Unsafe.SizeOf<(TKey, TValue)>(), Hashes.AsSpan(0, rows.Length));
        if (!_byHash)
        {
            for (var i = 0; i < rows.Length; i++) _keys[i] = rows[i].Key;
        }
        Place(_keys.AsSpan(0, rows.Length), Hashes.AsSpan(0, rows.Length), in rows[0].Value, Unsafe.SizeOf<(TKey, TValue)>());
    }

    /// <summary>Fills <see cref="Buckets"/> for keys whose hashes are known.</summary>
    public void Place<TValue>(ReadOnlySpan<TKey> keys, ReadOnlySpan<uint> hashes, ReadOnlySpan<TValue> values) =>
        Place(keys, hashes, in MemoryMarshal.GetReference(values), Unsafe.SizeOf<TValue>());

    private void Place<TValue>(ReadOnlySpan<TKey> keys, ReadOnlySpan<uint> hashes, ref readonly TValue first, int stride)
    {
        var checksum = Checksum;
        ref var value = ref Unsafe.AsRef(in first);
        var buckets = Buckets.AsSpan(0, hashes.Length);
        if (_byHash)
        {
            // One multiplication gives both: the reduce partition is the quotient by Tags, the hash range the remainder.
            var count = _partitioner.PartitionCount * Tags;
            for (var i = 0; i < buckets.Length; i++)
            {
                checksum += Fingerprint<TValue>.Of(hashes[i], ref value);
                value = ref Unsafe.AddByteOffset(ref value, stride)!;
                buckets[i] = StableHash.PartitionOf(hashes[i], count);
            }
        }
        else
        {
            _partitioner.PartitionsOf(keys, buckets);
            for (var i = 0; i < buckets.Length; i++)
            {
                var reduce = buckets[i];
                checksum += Fingerprint<TValue>.Of(_hashes ? hashes[i] : (uint)reduce, ref value);
                value = ref Unsafe.AddByteOffset(ref value, stride)!;
                if ((uint)reduce >= (uint)_partitioner.PartitionCount) ThrowOutOfRange(keys[i], reduce);
                buckets[i] = reduce * Tags + StableHash.PartitionOf(hashes[i], Tags);
            }
        }
        Checksum = checksum;
    }

    private void ThrowOutOfRange(TKey key, int reduce) => throw new VerbException(
        $"{_partitioner.GetType().Name} placed the key '{key}' in partition {reduce}, but it has {_partitioner.PartitionCount}: PartitionOf must "
        + "give 0 or more and less than PartitionCount.");
}
