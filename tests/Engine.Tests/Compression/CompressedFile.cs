using Dataflow.Compression;

namespace Dataflow.Engine.Tests.Compression;

/// <summary>Compressed files in memory, by the extension of their name.</summary>
internal static class CompressedFile
{
    public static byte[] Write(string extension, byte[] data, int piece = int.MaxValue)
    {
        var file = new MemoryStream();
        using (var stream = CompressedStreams.OpenWrite(file, "file" + extension, leaveOpen: true))
        {
            for (var at = 0; at < data.Length; at += piece)
            {
                stream.Write(data, at, Math.Min(piece, data.Length - at));
                if (piece == int.MaxValue)
                    break;
            }
        }

        return file.ToArray();
    }

    public static byte[] Read(string extension, byte[] file)
    {
        using var stream = CompressedStreams.OpenRead(new MemoryStream(file), "folder/file" + extension);
        var raw = new MemoryStream();
        stream.CopyTo(raw);
        return raw.ToArray();
    }
}
