namespace Dataflow.Sql;

/// <summary>What objects of JSON files mean.</summary>
public sealed record JsonOptions
{
    private readonly MalformedMode? _mode;

    /// <summary>The columns, by the names of the objects' fields; null to find them.</summary>
    public Schema? Schema { get; init; }

    /// <summary>How many objects of the first file are looked at for columns and types.</summary>
    public int InferRows { get; init; } = 20_000;

    /// <summary>What happens to lines that are no objects, and to fields that do not fit their column. Permissive by default; only if it is set, a value behind the first
    /// <see cref="InferRows"/> objects that is not of the type found there is null too, and a field not seen there passed over: else both are errors.</summary>
    public MalformedMode Mode { get => _mode ?? MalformedMode.Permissive; init => _mode = value; }

    /// <summary>The name of a column more that holds lines that do not fit, as they stand, and null for others; null for no such column.</summary>
    public string? CorruptRecordColumn { get; init; }

    /// <summary>About how many bytes of a file a task reads.</summary>
    public long SplitBytes { get; init; } = 32L << 20;

    /// <summary>Whether nobody said what to do with what does not fit.</summary>
    internal bool IsModeOpen => _mode is null && CorruptRecordColumn is null;
}
