namespace Dataflow.Serialization;

/// <summary>Strings as UTF-8 behind their length.</summary>
internal sealed class StringCodec : Codec<string?>
{
    private static readonly Schema Described = new("string");

    public override ulong SchemaHash => Described.Hash;

    public override string Schema => Described.Text;

    public override void Write(BlockWriter writer, ReadOnlySpan<string?> items)
    {
        foreach (var item in items) writer.WriteString(item);
    }

    public override void Read(ref BlockReader reader, Span<string?> items)
    {
        for (var i = 0; i < items.Length; i++) items[i] = reader.ReadString();
    }

    internal override void WriteItem(BlockWriter writer, string? item) => writer.WriteString(item);

    internal override string? ReadItem(ref BlockReader reader) => reader.ReadString();
}
