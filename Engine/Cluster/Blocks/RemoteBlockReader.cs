using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Dataflow.Compression;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>One piece of a block that arrived, checked and decompressed.</summary>
/// <param name="Part">The reduce partition of a segment.</param>
/// <param name="Tag">The segment's number for its reader.</param>
/// <param name="Rows">Rows of the segment.</param>
/// <param name="Bytes">The bytes; exactly as long as they are.</param>
internal readonly record struct FetchedPiece(int Part, int Tag, int Rows, NativeBuffer Bytes)
{
    /// <summary>The piece of a shuffle as a segment, with an own lease of the bytes.</summary>
    public Segment ToSegment() => new(Tag, Rows, new NativeBody(Bytes.Retain(), Bytes.Length));
}

/// <summary>A block that arrived whole, or why it did not. Whoever takes it disposes it.</summary>
internal sealed class FetchedBlock : IDisposable
{
    private readonly BytesInFlight? _room;
    private long _bytes;

    internal FetchedBlock(int index, BlockName name, List<FetchedPiece> pieces, BytesInFlight room, long bytes)
    {
        Index = index;
        Name = name;
        Pieces = pieces;
        _room = room;
        _bytes = bytes;
    }

    internal FetchedBlock(int index, BlockName name, FetchFailure failure, string problem)
    {
        Index = index;
        Name = name;
        Failure = failure;
        Problem = problem;
    }

    /// <summary>Its position in the list that was asked for.</summary>
    public int Index { get; }

    public BlockName Name { get; }

    /// <summary>Its pieces in order; empty if it failed.</summary>
    public IReadOnlyList<FetchedPiece> Pieces { get; } = [];

    /// <summary>Why it could not be had; null if it is here.</summary>
    public FetchFailure? Failure { get; }

    /// <summary>What went wrong, for people.</summary>
    public string? Problem { get; }

    /// <summary>Bytes of all pieces.</summary>
    public long Bytes => _bytes;

    /// <summary>The bytes of all pieces, one after the other.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[_bytes];
        var at = 0;
        foreach (var piece in Pieces)
        {
            piece.Bytes.Span[..piece.Bytes.Length].CopyTo(bytes.AsSpan(at));
            at += piece.Bytes.Length;
        }
        return bytes;
    }

    /// <summary>Gives the memory back, and makes room for the next blocks. A piece's bytes live on where they were retained.</summary>
    public void Dispose()
    {
        foreach (var piece in Pieces) piece.Bytes.Dispose();
        _room?.Release(Interlocked.Exchange(ref _bytes, 0));
    }
}

/// <summary>
/// Fetches blocks of one server, many with one request. Blocks are checked as they arrive and given in the order asked for; one that fails
/// is given with its failure. What broke on its way is asked for once more.
/// </summary>
/// <param name="client">The connections.</param>
/// <param name="pool">Where the bytes go.</param>
internal sealed class RemoteBlockReader(NodeClient client, NativePool pool)
{
    private const int Attempts = 2;

    /// <summary>Fetches blocks. Every one that was asked for is given exactly once, unless the caller stops.</summary>
    /// <param name="source">The server.</param>
    /// <param name="names">The blocks.</param>
    /// <param name="room">How much may have arrived and not been disposed. One that is shared by several fetches must be emptied in the order
    /// of arrival: who waits for a block of one server must not sit on those of another.</param>
    /// <param name="cancellation">Breaks off.</param>
    public async IAsyncEnumerable<FetchedBlock> FetchAsync(
        BlockSource source, IReadOnlyList<BlockName> names, BytesInFlight room, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        if (names.Count == 0) yield break;
        // The room bounds what waits in the channel.
        var arrived = Channel.CreateUnbounded<FetchedBlock>(new() { SingleReader = true, SingleWriter = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var fetching = RunAsync(source, names, room, arrived.Writer, stop.Token);
        try
        {
            await foreach (var block in arrived.Reader.ReadAllAsync(cancellation).ConfigureAwait(false)) yield return block;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await fetching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (arrived.Reader.TryRead(out var left)) left.Dispose();
        }
    }

    private async Task RunAsync(
        BlockSource source, IReadOnlyList<BlockName> names, BytesInFlight room, ChannelWriter<FetchedBlock> arrived, CancellationToken cancellation)
    {
        try
        {
            var fetch = new Fetch(client, pool, source, names, room, arrived);
            for (var attempt = 1; fetch.Left > 0; attempt++)
            {
                var (failure, problem) = await fetch.TryAsync(attempt == Attempts, cancellation).ConfigureAwait(false);
                if (attempt == Attempts || fetch.Left == 0)
                {
                    fetch.GiveUp(failure, problem);
                    break;
                }
            }
            arrived.Complete();
        }
        catch (Exception error)
        {
            arrived.Complete(error);
        }
    }

    /// <summary>The state of one fetch through its attempts.</summary>
    private sealed class Fetch(
        NodeClient client, NativePool pool, BlockSource source, IReadOnlyList<BlockName> names, BytesInFlight room, ChannelWriter<FetchedBlock> arrived)
    {
        // Positions in the caller's list that are still to come.
        private List<int> _wanted = [.. Enumerable.Range(0, names.Count)];

        public int Left => _wanted.Count;

        /// <summary>Asks for all that is left. What is still left afterwards was hit by the failure that is returned.</summary>
        public async Task<(FetchFailure Failure, string Problem)> TryAsync(bool isLast, CancellationToken cancellation)
        {
            var asked = _wanted;
            var left = new List<int>();
            var next = 0;
            using var stall = new StallGuard(client.Options, cancellation);
            try
            {
                var body = BlockEndpoint.WriteNames(asked.Select(index => names[index]));
                using var response = await stall.GuardAsync(token => client.SendAsync(source, HttpMethod.Post, "/blocks", body, token)).ConfigureAwait(false);
                using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
                var reader = new FrameReader(stream, stall, pool, room, asked.Count);
                for (; next < asked.Count; next++)
                {
                    var index = asked[next];
                    var block = await reader.ReadAsync(next, index, names[index], cancellation).ConfigureAwait(false);
                    // Damaged bytes may be a bad cable: they are asked for again.
                    if (block.Failure == FetchFailure.Corrupt && !isLast) left.Add(index);
                    else arrived.TryWrite(block);
                }
                _wanted = left;
                return (FetchFailure.Corrupt, "damaged");
            }
            catch (Exception error) when (error is IOException or HttpRequestException or TimeoutException or CorruptDataException or ClusterException
                && !cancellation.IsCancellationRequested)
            {
                left.AddRange(asked.Skip(next));
                _wanted = left;
                return error is CorruptDataException
                    ? (FetchFailure.Corrupt, $"the stream of {source.Server} is damaged: {error.Message}")
                    : (FetchFailure.Unreachable, $"{source.Server} did not deliver: {error.Message}");
            }
        }

        public void GiveUp(FetchFailure failure, string problem)
        {
            foreach (var index in _wanted) arrived.TryWrite(new FetchedBlock(index, names[index], failure, problem));
            _wanted = [];
        }
    }

    /// <summary>Reads the frames of one answer.</summary>
    private sealed class FrameReader(Stream stream, StallGuard stall, NativePool pool, BytesInFlight room, int blocks)
    {
        private readonly byte[] _header = new byte[BlockFrame.Length];

        /// <summary>Reads one block to its end.</summary>
        /// <param name="position">Its position in the request.</param>
        /// <exception cref="CorruptDataException">What comes is no answer: nothing after it can be trusted.</exception>
        public async Task<FetchedBlock> ReadAsync(int position, int index, BlockName name, CancellationToken cancellation)
        {
            var pieces = new List<FetchedPiece>();
            var held = 0L;
            string? damage = null;
            try
            {
                while (true)
                {
                    await stall.FillAsync(stream, _header).ConfigureAwait(false);
                    var frame = BlockFrame.Read(_header, blocks);
                    if (frame.Index != position) throw new CorruptDataException($"a frame is of block {frame.Index} instead of {position}");
                    switch (frame.Kind)
                    {
                        case BlockFrameKind.Piece:
                            await room.ReserveAsync(this, frame.RawLength, cancellation).ConfigureAwait(false);
                            held += frame.RawLength;
                            damage ??= await ReadPieceAsync(frame, pieces).ConfigureAwait(false);
                            break;
                        case BlockFrameKind.End when frame.Matches(_header, default):
                            if (damage is not null)
                            {
                                Drop(pieces, ref held);
                                return new FetchedBlock(index, name, FetchFailure.Corrupt, damage);
                            }
                            room.Deliver(this, held);
                            return new FetchedBlock(index, name, pieces, room, held);
                        case BlockFrameKind.Missing or BlockFrameKind.Corrupt:
                            if (frame.StoredLength > 16 << 10) throw new CorruptDataException($"a failure is told in {frame.StoredLength:N0} bytes");
                            var text = new byte[frame.StoredLength];
                            await stall.FillAsync(stream, text).ConfigureAwait(false);
                            if (!frame.Matches(_header, text)) throw new CorruptDataException("a frame does not match its checksum");
                            Drop(pieces, ref held);
                            return new FetchedBlock(index, name, frame.Kind == BlockFrameKind.Missing ? FetchFailure.Missing : FetchFailure.Corrupt, Encoding.UTF8.GetString(text));
                        default:
                            throw new CorruptDataException($"a frame of kind {frame.Kind} is out of place or does not match its checksum");
                    }
                }
            }
            catch
            {
                Drop(pieces, ref held);
                throw;
            }
        }

        // Returns what is wrong with the piece's bytes, if the frames after it can still be told apart.
        private async Task<string?> ReadPieceAsync(BlockFrame frame, List<FetchedPiece> pieces)
        {
            var raw = pool.Rent(Math.Max(frame.RawLength, 1), "block fetched");
            var kept = false;
            try
            {
                if (frame.Compression == 0)
                {
                    var bytes = raw.Memory[..frame.RawLength];
                    await stall.FillAsync(stream, bytes).ConfigureAwait(false);
                    if (!frame.Matches(_header, bytes.Span)) return "a piece does not match its checksum";
                }
                else
                {
                    var stored = ArrayPool<byte>.Shared.Rent(frame.StoredLength);
                    try
                    {
                        var bytes = stored.AsMemory(0, frame.StoredLength);
                        await stall.FillAsync(stream, bytes).ConfigureAwait(false);
                        if (!frame.Matches(_header, bytes.Span)) return "a piece does not match its checksum";
                        CompressionCodecs.ById(frame.Compression).DecompressExactly(bytes.Span, raw.Span[..frame.RawLength]);
                    }
                    catch (Exception error) when (error is CorruptDataException or CompressionUnavailableException)
                    {
                        return error.Message;
                    }
                    finally
                    {
                        ArrayPool<byte>.Shared.Return(stored);
                    }
                }
                var exact = raw.Length == frame.RawLength ? raw : Shorten(raw, frame.RawLength);
                pieces.Add(new FetchedPiece(frame.Part, frame.Tag, frame.Rows, exact));
                kept = true;
                return null;
            }
            finally
            {
                if (!kept) raw.Dispose();
            }
        }

        private static NativeBuffer Shorten(NativeBuffer buffer, int length)
        {
            var shorter = buffer.Retain(0, length);
            buffer.Dispose();
            return shorter;
        }

        private void Drop(List<FetchedPiece> pieces, ref long held)
        {
            foreach (var piece in pieces) piece.Bytes.Dispose();
            pieces.Clear();
            room.Drop(this, held);
            held = 0;
        }
    }
}
