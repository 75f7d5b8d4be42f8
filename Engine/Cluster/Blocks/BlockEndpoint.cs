using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Dataflow.Cluster;

/// <summary>Answers requests for blocks. What is sent waits for the reader: a slow one holds one piece, not all that it asked for.</summary>
internal static class BlockEndpoint
{
    /// <summary>Names in one request at most.</summary>
    public const int MaxNames = 1 << 18;

    /// <summary>Reads the names of a request's body, one a line; null if one of them is not a name.</summary>
    public static List<BlockName>? ParseNames(ReadOnlySpan<byte> body)
    {
        var names = new List<BlockName>();
        Span<char> text = stackalloc char[BlockName.MaxLength];
        while (!body.IsEmpty)
        {
            var end = body.IndexOf((byte)'\n');
            if (end < 0 || end > BlockName.MaxLength || names.Count == MaxNames) return null;
            var length = Encoding.Latin1.GetChars(body[..end], text);
            if (!BlockName.TryParse(text[..length], out var name)) return null;
            names.Add(name);
            body = body[(end + 1)..];
        }
        return names;
    }

    /// <summary>Writes one name a line.</summary>
    public static byte[] WriteNames(IEnumerable<BlockName> names)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        foreach (var name in names)
        {
            Encoding.Latin1.GetBytes(name.ToString(), body);
            body.Write("\n"u8);
        }
        return body.WrittenSpan.ToArray();
    }

    /// <summary>Answers a list of blocks with one stream of frames, in the order of the list.</summary>
    public static async Task WriteBlocksAsync(HttpResponse response, IReadOnlyList<BlockName> names, IBlockProvider provider, bool near, CancellationToken cancellation)
    {
        response.ContentType = "application/octet-stream";
        var output = response.BodyWriter;
        for (var i = 0; i < names.Count; i++)
        {
            var problem = await WriteBlockAsync(output, i, names[i], provider, near, cancellation).ConfigureAwait(false);
            if (problem is { } said) WriteFrame(output, said.Kind, i, new BlockPiece(0, 0, 0, said.Text.Length, 0, said.Text));
        }
        WriteFrame(output, BlockFrameKind.Done, names.Count, default);
        await output.FlushAsync(cancellation).ConfigureAwait(false);
    }

    private static async Task<(BlockFrameKind Kind, byte[] Text)?> WriteBlockAsync(
        PipeWriter output, int index, BlockName name, IBlockProvider provider, bool near, CancellationToken cancellation)
    {
        ServedBlock? block = null;
        try
        {
            block = provider.Open(name, near);
            if (block is null) return (BlockFrameKind.Missing, Said($"{name} is not here"));
            while (block.TryNext(out var piece))
            {
                WriteHeader(output, BlockFrameKind.Piece, index, piece);
                var flushed = await output.WriteAsync(piece.Stored, cancellation).ConfigureAwait(false);
                if (flushed.IsCompleted) throw new OperationCanceledException("The reader has gone.");
            }
            WriteFrame(output, BlockFrameKind.End, index, default);
            return null;
        }
        catch (CorruptDataException error)
        {
            return (BlockFrameKind.Corrupt, Said(error.Message));
        }
        catch (Exception error) when (error is TempFolderException or CodecException)
        {
            return (BlockFrameKind.Missing, Said(error.Message));
        }
        catch (ObjectDisposedException)
        {
            // Dropped while it was read.
            return (BlockFrameKind.Missing, Said($"{name} was dropped"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException && !cancellation.IsCancellationRequested)
        {
            // A disk that fails gives no block; the other blocks of the request may lie elsewhere.
            return (BlockFrameKind.Corrupt, Said($"{name} could not be read: {error.Message}"));
        }
        finally
        {
            block?.Dispose();
        }
    }

    private static byte[] Said(string text) => Encoding.UTF8.GetBytes(text.Length > 2000 ? text[..2000] : text);

    private static void WriteHeader(PipeWriter output, BlockFrameKind kind, int index, in BlockPiece piece)
    {
        BlockFrame.Write(output.GetSpan(BlockFrame.Length), kind, index, piece);
        output.Advance(BlockFrame.Length);
    }

    private static void WriteFrame(PipeWriter output, BlockFrameKind kind, int index, in BlockPiece piece)
    {
        WriteHeader(output, kind, index, piece);
        output.Write(piece.Stored.Span);
    }
}
