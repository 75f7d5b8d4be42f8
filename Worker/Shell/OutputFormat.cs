namespace Dataflow.Worker.Shell;

/// <summary>How the shell writes rows.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Table,

    /// <summary>Comma-separated values with a header (RFC 4180).</summary>
    Csv,

    /// <summary>A list of objects.</summary>
    Json,

    /// <summary>An object for each statement, on a line of its own: columns with name and type, rows, milliseconds; or the error.</summary>
    Jsonl,
}
