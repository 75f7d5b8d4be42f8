using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Dataflow.Serialization;

/// <summary>What a codec's bytes hold, as text, and the hash of that text that stands in block headers.</summary>
/// <param name="Text">The text; equal texts mean equal formats.</param>
internal sealed record Schema(string Text)
{
    /// <summary>The first eight bytes of the text's SHA-256: the same in every process.</summary>
    public ulong Hash { get; } = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));
}
