using Dataflow.Sql.Sources;

namespace Dataflow.Sql;

/// <summary>Opens tables as frames.</summary>
public sealed class DataFrameReader
{
    private readonly SqlSession _session;

    internal DataFrameReader(SqlSession session) => _session = session;

    /// <summary>Parquet files.</summary>
    /// <remarks>Reads their footers now, and rows when they are asked for.</remarks>
    /// <param name="path">A file, a folder, or a pattern.</param>
    public DataFrame Parquet(string path) => Table(ParquetTable.Open(path, _session.TimeZone));

    /// <summary>CSV files.</summary>
    /// <remarks>Reads the beginning of the first file now, unless a schema is given, and rows when they are asked for.</remarks>
    /// <param name="path">A file, a folder, or a pattern.</param>
    /// <param name="options">How they are written; null for the defaults: commas, quotes, no header, types found.</param>
    /// <exception cref="InputException">Nothing is there, or it may not be read.</exception>
    public DataFrame Csv(string path, CsvOptions? options = null) => Table(CsvTable.Open(path, options, _session.TimeZone));

    /// <summary>Files of JSON objects, one a line.</summary>
    /// <remarks>Reads the beginning of the first file now, unless a schema is given, and rows when they are asked for.</remarks>
    /// <param name="path">A file, a folder, or a pattern.</param>
    /// <param name="options">What they mean; null for the defaults.</param>
    /// <exception cref="InputException">Nothing is there, or it may not be read.</exception>
    public DataFrame Json(string path, JsonOptions? options = null) => Table(JsonTable.Open(path, options, _session.TimeZone));

    /// <summary>The lines of files of text, as a column <c>value</c>.</summary>
    /// <param name="path">A file, a folder, or a pattern.</param>
    /// <exception cref="InputException">Nothing is there, or it may not be read.</exception>
    public DataFrame Text(string path) => Table(TextTable.Open(path));

    /// <summary>The zone of the session.</summary>
    internal string TimeZone => _session.TimeZone;

    /// <summary>Any table.</summary>
    /// <param name="table">The table.</param>
    public DataFrame Table(ITable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return new DataFrame(_session, Plans.Scan.Of(table), null);
    }
}
