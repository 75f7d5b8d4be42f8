using Dataflow.Compression;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Serialization;

namespace Dataflow.Cluster;

/// <summary>Who serves the outputs of a shuffle, as it travels from the driver to every executor that reads them.</summary>
/// <remarks>Encoded it takes some 4 bytes an output, and 10 a server: numbers go byte plane by byte plane, so that Brotli finds the planes that hardly differ.</remarks>
/// <param name="Servers">Every server that is named below, with where its blocks are fetched.</param>
/// <param name="Maps">Position in <paramref name="Servers"/> for each map output, -1 where nobody serves it.</param>
/// <param name="Writers">The attempt that wrote each.</param>
internal sealed record MapOutputLocations(IReadOnlyList<BlockServer> Servers, int[] Maps, long[] Writers)
{
    /// <summary>Whether nobody serves some output.</summary>
    public bool HasHoles => Array.IndexOf(Maps, -1) >= 0;

    /// <summary>Writes it for <see cref="Decode"/>.</summary>
    public byte[] Encode()
    {
        using var writer = new BlockWriter();
        writer.WriteCount(Servers.Count);
        foreach (var server in Servers)
        {
            writer.WriteUnmanaged(server.Server.Value);
            writer.WriteString(server.DataUrl);
            writer.WriteString(server.Host);
            writer.WriteString(server.Folder);
        }
        writer.WriteCount(Maps.Length);
        for (var shift = 0; shift < 32; shift += 8)
        {
            foreach (var map in Maps) writer.WriteByte((byte)(map >> shift));
        }
        for (var shift = 0; shift < 64; shift += 8)
        {
            foreach (var attempt in Writers) writer.WriteByte((byte)(attempt >> shift));
        }

        var codec = CompressionCodecs.Brotli;
        var bytes = new byte[sizeof(int) + codec.MaxCompressedLength(writer.Length)];
        BitConverter.TryWriteBytes(bytes, writer.Length);
        return bytes[..(sizeof(int) + codec.Compress(writer.Written, bytes.AsSpan(sizeof(int))))];
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <exception cref="CorruptDataException">The bytes are something else.</exception>
    public static MapOutputLocations Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < sizeof(int)) throw new CorruptDataException("The locations of map outputs are cut short.");
        var raw = new byte[BitConverter.ToInt32(bytes)];
        CompressionCodecs.Brotli.DecompressExactly(bytes[sizeof(int)..], raw);
        var reader = new BlockReader(raw);
        var servers = new BlockServer[reader.ReadCount()];
        for (var i = 0; i < servers.Length; i++)
        {
            var id = new WorkerId(reader.ReadUnmanaged<int>());
            servers[i] = new BlockServer(id, reader.ReadString() ?? "", reader.ReadString() ?? "", reader.ReadString());
        }
        var count = reader.ReadCount();
        var (maps, writers) = (new int[count], new long[count]);
        for (var shift = 0; shift < 32; shift += 8)
        {
            var plane = reader.ReadBytes(count);
            for (var i = 0; i < count; i++) maps[i] |= plane[i] << shift;
        }
        for (var shift = 0; shift < 64; shift += 8)
        {
            var plane = reader.ReadBytes(count);
            for (var i = 0; i < count; i++) writers[i] |= (long)plane[i] << shift;
        }
        return new MapOutputLocations(servers, maps, writers);
    }
}

/// <summary>Who serves blocks and where.</summary>
/// <param name="Server">The server.</param>
/// <param name="DataUrl">Where it is asked for them.</param>
/// <param name="Host">Name of its machine.</param>
/// <param name="Folder">Where they lie there as files; null if they don't.</param>
internal sealed record BlockServer(WorkerId Server, string DataUrl, string Host, string? Folder);
