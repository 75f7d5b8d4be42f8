using Dataflow.Errors;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>Fetches single blocks for threads that wait for them: code, pieces of broadcasts, late assemblies.</summary>
/// <param name="reader">Fetches them.</param>
/// <param name="start">Whose they are, and where the driver is.</param>
internal sealed class DriverBlocksReader(RemoteBlockReader reader, ExecutorStart start)
{
    /// <summary>A block that the driver must have.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="what">What it is, for the error.</param>
    /// <exception cref="ClusterException">The driver does not answer, or does not have it.</exception>
    public ReadOnlyMemory<byte> Fetch(BlockName name, string what) => Ask(name, what)
        ?? throw new ClusterException($"{what} ({name}) could not be fetched from the driver at {start.Driver}: it does not have it.");

    /// <summary>A block of the driver, or null if it does not have it.</summary>
    /// <exception cref="ClusterException">The driver does not answer.</exception>
    public ReadOnlyMemory<byte>? Ask(BlockName name, string what) => AskAsync(start.Driver, name, what).GetAwaiter().GetResult();

    /// <summary>A piece of a broadcast, or null if its source does not have it or does not answer.</summary>
    /// <param name="source">Who has it; null for the driver.</param>
    /// <param name="name">The piece.</param>
    public byte[]? FetchPiece(string? source, BlockName name)
    {
        try
        {
            return AskAsync(source is null ? start.Driver : new Uri(source), name, "a piece of a broadcast").GetAwaiter().GetResult()?.ToArray();
        }
        catch (ClusterException)
        {
            // The driver is told, and names another source.
            return null;
        }
    }

    private async Task<ReadOnlyMemory<byte>?> AskAsync(Uri server, BlockName name, string what)
    {
        var source = new BlockSource(server, start.Application, start.Secret);
        await foreach (var block in reader.FetchAsync(source, [name], new BytesInFlight()).ConfigureAwait(false))
        {
            using (block)
            {
                if (block.Failure is null) return block.ToArray();
                if (block.Failure is FetchFailure.Missing) return null;
                throw new ClusterException($"{what} ({name}) could not be fetched from {server}: {block.Problem}");
            }
        }
        throw new ClusterException($"{what} ({name}) could not be fetched from {server}.");
    }
}
