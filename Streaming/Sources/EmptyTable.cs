using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Sources;

/// <summary>No rows: a stream that has nothing new.</summary>
internal sealed class EmptyTable(string name, Schema schema) : ITable
{
    public string Name => name;

    public Schema Schema => schema;

    public TableStatistics Statistics { get; } = new(0, 0);

    public ITableScan Scan(ScanRequest request) => new NoSplits();

    private sealed class NoSplits : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => [];

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) => throw new InvalidOperationException("There is nothing to read.");
    }
}
