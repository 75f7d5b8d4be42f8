using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>One block straight into a stream: a file of the application, a piece of a broadcast value, a stage's code, a large result.</summary>
internal static class BlockDownload
{
    /// <summary>Fetches a block. A file's content is checked against its hash. A stream that can seek is tried twice.</summary>
    /// <param name="client">The connections.</param>
    /// <param name="source">The server.</param>
    /// <param name="name">The block; not a shuffle's or a cached one, which come as several.</param>
    /// <param name="destination">Written from its position on. When the block fails, what it holds from there on is undefined.</param>
    /// <param name="cancellation">Breaks off.</param>
    /// <returns>Why it could not be had, or null.</returns>
    public static async Task<DownloadFailure?> ToStreamAsync(
        NodeClient client, BlockSource source, BlockName name, Stream destination, CancellationToken cancellation = default)
    {
        var start = destination.CanSeek ? destination.Position : 0;
        var failure = await TryAsync(client, source, name, destination, cancellation).ConfigureAwait(false);
        if (failure is null || failure.Failure == FetchFailure.Missing || !destination.CanSeek) return failure;
        destination.Position = start;
        destination.SetLength(start);
        return await TryAsync(client, source, name, destination, cancellation).ConfigureAwait(false);
    }

    private static async Task<DownloadFailure?> TryAsync(
        NodeClient client, BlockSource source, BlockName name, Stream destination, CancellationToken cancellation)
    {
        var header = new byte[BlockFrame.Length];
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var stall = new StallGuard(client.Options, cancellation);
        try
        {
            using var response = await stall.GuardAsync(token => client.SendAsync(source, HttpMethod.Get, $"/{name}", [], token)).ConfigureAwait(false);
            using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            while (true)
            {
                await stall.FillAsync(stream, header).ConfigureAwait(false);
                var frame = BlockFrame.Read(header, blocks: 1);
                if (buffer.Length < frame.StoredLength)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = ArrayPool<byte>.Shared.Rent(frame.StoredLength);
                }
                var bytes = buffer.AsMemory(0, frame.StoredLength);
                await stall.FillAsync(stream, bytes).ConfigureAwait(false);
                if (!frame.Matches(header, bytes.Span) || frame.Index != 0 || frame.Compression != 0)
                    return new DownloadFailure(FetchFailure.Corrupt, $"a frame of {name} from {source.Server} is damaged");
                switch (frame.Kind)
                {
                    case BlockFrameKind.Piece:
                        hash.AppendData(bytes.Span);
                        await destination.WriteAsync(bytes, cancellation).ConfigureAwait(false);
                        break;
                    case BlockFrameKind.End:
                        return name.Kind == BlockKind.Code && Convert.ToHexStringLower(hash.GetCurrentHash()) is var found && found != name.Hash
                            ? new DownloadFailure(FetchFailure.Corrupt, $"what {source.Server} serves as {name} has the hash {found}")
                            : null;
                    case BlockFrameKind.Missing:
                        return new DownloadFailure(FetchFailure.Missing, Encoding.UTF8.GetString(bytes.Span));
                    default:
                        return new DownloadFailure(FetchFailure.Corrupt, Encoding.UTF8.GetString(bytes.Span));
                }
            }
        }
        catch (CorruptDataException error)
        {
            return new DownloadFailure(FetchFailure.Corrupt, error.Message);
        }
        catch (Exception error) when (error is HttpRequestException or HttpIOException or TimeoutException or ClusterException or EndOfStreamException
            && !cancellation.IsCancellationRequested)
        {
            return new DownloadFailure(FetchFailure.Unreachable, $"{source.Server} did not deliver: {error.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>Why a block could not be had.</summary>
internal sealed record DownloadFailure(FetchFailure Failure, string Problem);
