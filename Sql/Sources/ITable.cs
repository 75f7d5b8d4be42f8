using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Tasks;

namespace Dataflow.Sql.Sources;

/// <summary>A table that queries can read: files, records of the program, anything that someone writes a class for.</summary>
public interface ITable
{
    /// <summary>How plans and errors call it.</summary>
    string Name { get; }

    /// <summary>Its columns.</summary>
    Schema Schema { get; }

    /// <summary>What is known of its contents without reading them.</summary>
    TableStatistics Statistics { get; }

    /// <summary>Whether it is a stream, which has no last row: only queries that go on read it, and nothing of it can be kept whole.</summary>
    bool IsEndless => false;

    /// <summary>Prepares to read. Called on the driver.</summary>
    /// <param name="request">What is wanted.</param>
    ITableScan Scan(ScanRequest request);
}

/// <summary>What a query wants of a table.</summary>
/// <param name="Fields">Positions in the schema, in the order the batches must have.</param>
/// <param name="Filters">Rows for which one of them is not true are not wanted. A source may leave such rows out, and need not: the query filters again.</param>
/// <param name="Limit">How many rows are enough, whichever they are; null if all are wanted.</param>
public sealed record ScanRequest(ValueList<int> Fields, ValueList<ScanFilter> Filters, long? Limit = null);

/// <summary>A table that is ready to be read in pieces. It travels to executors with its tasks: whatever it holds must be able to.</summary>
public interface ITableScan
{
    /// <summary>The pieces: one is a task.</summary>
    IReadOnlyList<TableSplit> Splits { get; }

    /// <summary>Reads a piece. Called in a task.</summary>
    /// <param name="split">One of <see cref="Splits"/>.</param>
    /// <param name="context">The task.</param>
    /// <param name="dynamic">Filters that become known while the query runs; asked again for every piece and, by readers that can, for every batch.</param>
    BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic);
}

/// <summary>A piece of a table that one task reads. Kinds of their own hold what reading it needs.</summary>
/// <param name="Rows">How many rows it has, as far as is known; else -1.</param>
/// <param name="Hosts">Machines that have its data, best first.</param>
public abstract record TableSplit(long Rows, ValueList<string> Hosts);

/// <summary>Gives batches, one by one.</summary>
public abstract class BatchReader : IDisposable
{
    /// <summary>The next batch.</summary>
    /// <param name="batch">Lent until the next call; has at least one row that counts.</param>
    /// <returns>False at the end, and from then on.</returns>
    public abstract bool TryNext(out ColumnBatch batch);

    /// <summary>
    /// Takes over a filter of its rows, before the first batch: a reader that can make columns one by one then makes those that a condition reads,
    /// and others only where rows are left.
    /// </summary>
    /// <param name="filter">Compiled for its batches. Stays valid as long as the reader is used.</param>
    /// <returns>True if from now on only rows count for which the filter is true; false if nothing changed, and the caller has to filter.</returns>
    public virtual bool TryTake(FilterEvaluator filter) => false;

    /// <summary>Gives back what it holds. Safe to call twice.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>How a filter compares.</summary>
public enum ScanOperator
{
    /// <summary>Equal to the value.</summary>
    Equal,

    /// <summary>Less than the value.</summary>
    Less,

    /// <summary>Less than the value, or equal.</summary>
    LessOrEqual,

    /// <summary>Greater than the value.</summary>
    Greater,

    /// <summary>Greater than the value, or equal.</summary>
    GreaterOrEqual,

    /// <summary>One of the values.</summary>
    In,

    /// <summary>Text that begins with the value.</summary>
    StartsWith,

    /// <summary>Null.</summary>
    IsNull,

    /// <summary>Not null.</summary>
    IsNotNull,
}

/// <summary>A condition on one field that sources can use to skip what they need not read.</summary>
/// <param name="Field">Position in the table's schema.</param>
/// <param name="Operator">How it compares.</param>
/// <param name="Values">With what: literals of the field's type, none null.</param>
public sealed record ScanFilter(int Field, ScanOperator Operator, ValueList<Literal> Values)
{
    /// <summary>As <c>field 3 Less 12</c>.</summary>
    public override string ToString() => $"field {Field} {Operator} {Values}".TrimEnd();
}

/// <summary>What is known of a table.</summary>
/// <param name="Rows">Rows; -1 if unknown.</param>
/// <param name="Bytes">Size of what is read; -1 if unknown.</param>
public sealed record TableStatistics(long Rows, long Bytes)
{
    /// <summary>Nothing is known.</summary>
    public static TableStatistics Unknown { get; } = new(-1, -1);

    /// <summary>What is known of columns, by position in the schema.</summary>
    public IReadOnlyDictionary<int, ColumnStatistics> Columns { get; init; } = new Dictionary<int, ColumnStatistics>();
}

/// <summary>What is known of a column of a table.</summary>
/// <param name="Bounds">Smallest and largest value; null if unknown or of another type.</param>
/// <param name="Nulls">How many rows are null; -1 if unknown.</param>
/// <param name="Distinct">About how many values differ; -1 if unknown.</param>
public sealed record ColumnStatistics(ValueBounds? Bounds, long Nulls = -1, long Distinct = -1);

/// <summary>A filter that is known only while the query runs: what the build side of a join holds, how good a row must be to come into the top n.</summary>
public interface IDynamicFilter
{
    /// <summary>The field of the table that it is about.</summary>
    int Field { get; }

    /// <summary>What is known now: no row outside is wanted. Null while nothing is known.</summary>
    ValueBounds? Bounds { get; }

    /// <summary>Clears bits of rows that are not wanted.</summary>
    /// <param name="values">The field's values.</param>
    /// <param name="rows">Rows in the vector.</param>
    /// <param name="mask">A bit a row.</param>
    unsafe void Apply(ColumnVector values, int rows, ulong* mask);
}
