using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Dataflow.Closures;
using Dataflow.Shared;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>The code of a stage, encoded once however many executors need it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Bytes">For <see cref="ClosureCodec.Read"/>.</param>
/// <param name="Hash">SHA-256 of the bytes.</param>
internal sealed record EncodedBinary(long Id, byte[] Bytes, byte[] Hash);

/// <summary>What a driver serves to the executors of its application: its files, the code of its stages, the values of its broadcasts.</summary>
/// <remarks>Code and values are kept as long as the program keeps the stage or the broadcast.</remarks>
internal sealed class DriverBlocks(ApplicationFiles files) : IBlockProvider
{
    private readonly ConditionalWeakTable<StageBinary, EncodedBinary> _binaries = [];
    private readonly ConcurrentDictionary<long, WeakReference<EncodedBinary>> _binariesById = new();
    private readonly ConcurrentDictionary<long, WeakReference<IBroadcastValue>> _broadcasts = new();
    private readonly ConditionalWeakTable<IBroadcastValue, byte[][]> _values = [];
    private readonly ConcurrentDictionary<long, bool> _destroyed = new();
    private long _broadcastBytes;
    private int _filesOpened;
    private long _next;

    /// <summary>The code of a stage as bytes.</summary>
    /// <param name="binary">The stage's code.</param>
    /// <param name="action">The action that needs it, for errors.</param>
    /// <exception cref="Dataflow.ClosureException">Something in it can't travel.</exception>
    public EncodedBinary Encode(StageBinary binary, CallSite? action = null)
    {
        if (_binaries.TryGetValue(binary, out var known)) return known;
        var graph = ClosureCodec.Write(binary, action);
        foreach (var broadcast in graph.Broadcasts) Offer(broadcast);
        var encoded = new EncodedBinary(Interlocked.Increment(ref _next), graph.Bytes, SHA256.HashData(graph.Bytes));
        _binaries.AddOrUpdate(binary, encoded);
        _binariesById[encoded.Id] = new WeakReference<EncodedBinary>(encoded);
        return encoded;
    }

    /// <summary>A partition as bytes.</summary>
    public byte[] Encode(Partition partition)
    {
        var graph = ClosureCodec.Write(partition);
        foreach (var broadcast in graph.Broadcasts) Offer(broadcast);
        return graph.Bytes;
    }

    public ServedBlock? Open(BlockName name, bool near) => name.Kind switch
    {
        BlockKind.Code => OpenFile(name.Hash!),
        BlockKind.Assembly => DriverAssemblies.Open(name),
        BlockKind.Binary => _binariesById.TryGetValue(name.First, out var held) && held.TryGetTarget(out var binary) ? ServedBlock.Of(binary.Bytes) : null,
        BlockKind.Broadcast => OpenPiece(name),
        _ => null,
    };

    private ServedBlock? OpenFile(string hash)
    {
        var file = files.Open(hash);
        if (file is not null) Interlocked.Increment(ref _filesOpened);
        return file;
    }

    /// <summary>How many files of the application have left the driver.</summary>
    public int FilesOpened => Volatile.Read(ref _filesOpened);

    private void Offer(IBroadcastValue broadcast) => _broadcasts.TryAdd(broadcast.Id, new WeakReference<IBroadcastValue>(broadcast));

    /// <summary>Bytes of broadcast values that have left the driver.</summary>
    public long BroadcastBytes => Interlocked.Read(ref _broadcastBytes);

    /// <summary>Whether the program holds the value of a broadcast.</summary>
    public bool Has(long broadcast) => _broadcasts.TryGetValue(broadcast, out var held) && held.TryGetTarget(out _);

    /// <summary>Of how many pieces the value of a broadcast consists. Encodes it, if that was not done yet.</summary>
    /// <exception cref="ClusterException">The program does not hold it any more.</exception>
    /// <exception cref="Dataflow.ClosureException">It can't travel.</exception>
    public int PiecesOf(long broadcast)
    {
        if (_destroyed.ContainsKey(broadcast)) throw new ClusterException("it was destroyed");
        return _broadcasts.TryGetValue(broadcast, out var held) && held.TryGetTarget(out var value)
            ? PiecesOf(value).Length
            : throw new ClusterException("the program does not hold it any more");
    }

    /// <summary>Frees the encoded value of a broadcast. Destroyed ones are served no more.</summary>
    public void Drop(long broadcast, bool forEver)
    {
        if (forEver) _destroyed[broadcast] = true;
        if (_broadcasts.TryRemove(broadcast, out var held) && held.TryGetTarget(out var value))
        {
            lock (value) _values.Remove(value);
            if (!forEver) Offer(value);
        }
    }

    private ServedBlock? OpenPiece(BlockName name)
    {
        if (_destroyed.ContainsKey(name.First) || !_broadcasts.TryGetValue(name.First, out var held) || !held.TryGetTarget(out var value)) return null;
        var pieces = PiecesOf(value);
        if (name.Second >= pieces.Length) return null;
        Interlocked.Add(ref _broadcastBytes, pieces[name.Second].Length);
        return ServedBlock.Of(pieces[name.Second]);
    }

    private byte[][] PiecesOf(IBroadcastValue broadcast)
    {
        lock (broadcast)
        {
            if (_values.TryGetValue(broadcast, out var known)) return known;
            var graph = broadcast.Encode();
            foreach (var inner in graph.Broadcasts) Offer(inner);
            var pieces = BroadcastPieces.Cut(graph.Bytes);
            _values.Add(broadcast, pieces);
            return pieces;
        }
    }
}
