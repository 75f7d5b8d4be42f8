using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Parquet;

/// <summary>Row groups that are to be read: each is a task.</summary>
/// <param name="splits">The row groups that are left after pruning.</param>
internal sealed class ParquetScan(ParquetSplit[] splits) : ITableScan
{
    /// <inheritdoc/>
    public IReadOnlyList<TableSplit> Splits => splits;

    /// <inheritdoc/>
    public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) => new RowGroupReader((ParquetSplit)split, context, dynamic);
}
