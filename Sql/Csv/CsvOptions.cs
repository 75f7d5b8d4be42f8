namespace Dataflow.Sql;

/// <summary>What happens to records that do not fit the schema: a field that is no number, too many fields, too few.</summary>
public enum MalformedMode
{
    /// <summary>What does not fit is null; <see cref="CsvOptions.CorruptRecordColumn"/> shows the record.</summary>
    Permissive,

    /// <summary>The record is left out.</summary>
    DropMalformed,

    /// <summary>The query fails, and says which record.</summary>
    FailFast,
}

/// <summary>How CSV files are written and what their fields mean.</summary>
public sealed record CsvOptions
{
    private readonly MalformedMode? _mode;

    /// <summary>Whether the first record of each file holds names of columns. Without it they are <c>_c0</c>, <c>_c1</c> and so on.</summary>
    public bool HasHeader { get; init; }

    /// <summary>The columns, by position in the file; null to take names from the header and find types.</summary>
    public Schema? Schema { get; init; }

    /// <summary>Whether types are found by looking at the first <see cref="InferRows"/> records; else all columns are text. Of no meaning with a schema.</summary>
    public bool InferTypes { get; init; } = true;

    /// <summary>How many records are looked at.</summary>
    public int InferRows { get; init; } = 20_000;

    /// <summary>What separates fields: one ASCII character.</summary>
    public char Delimiter { get; init; } = ',';

    /// <summary>What stands around fields that hold delimiters or ends of lines: one ASCII character; null if nothing does.</summary>
    public char? Quote { get; init; } = '"';

    /// <summary>What stands before a quote within quotes. The quote itself by default (RFC 4180, section 2.7); some programs write a backslash.</summary>
    public char Escape { get; init; } = '"';

    /// <summary>Whether a field in quotes may hold ends of lines. If not, every end of a line ends a record, and large files are cut without a look at
    /// what comes before.</summary>
    public bool MultiLine { get; init; } = true;

    /// <summary>Lines that begin with it are passed over; null for none.</summary>
    public char? Comment { get; init; }

    /// <summary>A field that is this text, without quotes, is null.</summary>
    public string NullValue { get; init; } = "";

    /// <summary>How dates are written, in .NET's form such as <c>dd.MM.yyyy</c>; null for <c>yyyy-MM-dd</c>.</summary>
    public string? DateFormat { get; init; }

    /// <summary>How timestamps are written, in .NET's form; null for <c>yyyy-MM-dd HH:mm:ss</c> with a T, a fraction and a zone where there are.</summary>
    public string? TimestampFormat { get; init; }

    /// <summary>What happens to records that do not fit. Permissive by default; only if it is set, a value behind the first <see cref="InferRows"/> records that
    /// is not of the type found there is null too: else it is an error, as nothing says whether the type or the value is wrong.</summary>
    public MalformedMode Mode { get => _mode ?? MalformedMode.Permissive; init => _mode = value; }

    /// <summary>The name of a column more that holds records that do not fit, as they stand, and null for others; null for no such column.</summary>
    public string? CorruptRecordColumn { get; init; }

    /// <summary>About how many bytes of a file a task reads.</summary>
    public long SplitBytes { get; init; } = 32L << 20;

    /// <summary>Whether nobody said what to do with what does not fit.</summary>
    internal bool IsModeOpen => _mode is null && CorruptRecordColumn is null;
}
