using Dataflow.Sql.Sources;

namespace Dataflow.Streaming.Sources;

/// <summary>A stream where plans have tables. A query over streams puts the rows of a batch in its place; nothing else can read it.</summary>
internal sealed class StreamTable(IStreamSource source) : ITable
{
    public IStreamSource Source => source;

    public string Name => source.Name;

    public Schema Schema => source.Schema;

    public TableStatistics Statistics => TableStatistics.Unknown;

    public bool IsEndless => true;

    public ITableScan Scan(ScanRequest request) => throw new QueryException(
        "STREAM_WITHOUT_QUERY", $"{source.Name} is a stream, which has no last row. Start a query over it (frame.WriteStream.Start(sink), or ToTable(name)), and look at what the sink gets.");
}
