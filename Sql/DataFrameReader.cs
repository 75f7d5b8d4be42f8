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
    public DataFrame Parquet(string path) => Table(ParquetTable.Open(path));

    /// <summary>CSV files.</summary>
    /// <remarks>Reads the beginning of the first file now, unless a schema is given, and rows when they are asked for.</remarks>
    /// <param name="path">A file, a folder, or a pattern.</param>
    /// <param name="options">How they are written; null for the defaults: commas, quotes, no header, types found.</param>
    /// <exception cref="InputException">Nothing is there, or it may not be read.</exception>
    public DataFrame Csv(string path, CsvOptions? options = null) => Table(CsvTable.Open(path, options, _session.TimeZone));

    /// <summary>Any table.</summary>
    /// <param name="table">The table.</param>
    public DataFrame Table(ITable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return new DataFrame(_session, Plans.Scan.Of(table), null);
    }
}
