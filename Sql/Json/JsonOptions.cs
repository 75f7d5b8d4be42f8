namespace Dataflow.Sql;

/// <summary>What objects of JSON files mean.</summary>
public sealed record JsonOptions
{
    /// <summary>The columns, by the names of the objects' fields; null to find them.</summary>
    public Schema? Schema { get; init; }

    /// <summary>How many objects of the first file are looked at for columns and types.</summary>
    public int InferRows { get; init; } = 20_000;

    /// <summary>What happens to lines that are no objects, and to fields that do not fit their column.</summary>
    public MalformedMode Mode { get; init; }

    /// <summary>The name of a column more that holds lines that do not fit, as they stand, and null for others; null for no such column.</summary>
    public string? CorruptRecordColumn { get; init; }

    /// <summary>About how many bytes of a file a task reads.</summary>
    public long SplitBytes { get; init; } = 32L << 20;
}
