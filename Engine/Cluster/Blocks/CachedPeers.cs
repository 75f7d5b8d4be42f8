using Dataflow.Caching;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>Fetches cached partitions from the executors that keep them.</summary>
/// <param name="reader">Fetches blocks.</param>
/// <param name="scope">The application.</param>
/// <param name="secret">Its secret.</param>
internal sealed class CachedPeers(RemoteBlockReader reader, string scope, ClusterToken secret) : ICachedPeers
{
    // Whoever waits for one has reserved nothing for it yet.
    private readonly BytesInFlight _room = new();

    public EncodedCopy? TryFetch(RddBlockId id, TaskContext context)
    {
        foreach (var peer in context.Description.CachePeers)
        {
            // On the slot's own thread, which has nothing to do until its input is there.
            if (FetchAsync(new Uri(peer), id, context.CancellationToken).GetAwaiter().GetResult() is { } copy) return copy;
        }
        return null;
    }

    /// <summary>Fetches a partition of one executor.</summary>
    /// <returns>Null if it is not there, or can't be had.</returns>
    public async Task<EncodedCopy?> FetchAsync(Uri peer, RddBlockId id, CancellationToken cancellation)
    {
        try
        {
            await foreach (var block in reader.FetchAsync(new BlockSource(peer, scope, secret), [BlockName.Cached(id)], _room, cancellation).ConfigureAwait(false))
            {
                using (block)
                {
                    // It may have been evicted, or can't be encoded: then it is computed.
                    if (block.Failure is not null) return null;
                    return new EncodedCopy([.. block.Pieces.Select(piece => new NativePiece(piece.Bytes.Retain(), piece.Bytes.Length))]);
                }
            }
        }
        catch (ClusterException)
        {
            // As good as gone: what it kept is computed.
        }
        return null;
    }
}
