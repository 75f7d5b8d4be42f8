using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Exchange;

/// <summary>Small splits of a table are read by one task where tasks are sent to executors.</summary>
public class ScanPartitionTests
{
    [Fact]
    public void Splits_that_follow_each_other_on_the_same_hosts_come_together()
    {
        var splits = Enumerable.Range(0, 100).Select(i => new Part(1_000, [i < 50 ? "a" : "b"])).ToArray();
        var groups = ScanPartition.Group(splits, slots: 2).ToList();
        Assert.InRange(groups.Count, 16, 20);
        Assert.Equal(splits, groups.SelectMany(group => group));
        Assert.All(groups, group => Assert.Single(group.Select(split => split.Hosts).Distinct()));
        Assert.Equal(100, ScanPartition.Group(splits, slots: int.MaxValue).Count());
        Assert.Equal(100, ScanPartition.Group(splits, slots: 13).Count());
    }

    [Fact]
    public void Splits_of_unknown_length_stay_alone_and_a_long_one_takes_no_other()
    {
        Assert.Equal(30, ScanPartition.Group([.. Enumerable.Range(0, 30).Select(i => new Part(i == 7 ? -1 : 10, []))], slots: 1).Count());
        var groups = ScanPartition.Group([.. Enumerable.Range(0, 30).Select(i => new Part(i == 7 ? 1_000 : 10, []))], slots: 1).ToList();
        Assert.Contains(groups, group => group is [Part { Rows: 1_000 }] || group[^1].Rows == 1_000 || group[0].Rows == 1_000);
        Assert.Equal(30, groups.Sum(group => group.Count));
    }

    [Fact]
    public void A_filter_that_only_some_splits_take_over_leaves_out_rows_of_all()
    {
        using var rig = new Kernels.KernelRig();
        using var task = new LoneTask();
        var column = new Expressions.ColumnReference("x", DataType.Int, false);
        var condition = Kernels.KernelRig.Call(">", column, new Expressions.Literal(3, DataType.Int));
        var filter = ExpressionCompiler.CompileFilter(condition, [column], rig.Context);
        using var reader = new SplitsReader(new Numbers(), [new Part(10, ["takes"]), new Part(10, []), new Part(10, ["takes"])], [], task.Context);
        Assert.True(reader.TryTake(filter));
        var rows = new List<int>();
        while (reader.TryNext(out var batch))
        {
            foreach (var row in batch.Selection) rows.Add(batch.Columns[0].Value<int>(row));
        }

        // The reader that takes a filter over is trusted with it: it gives all of its rows here.
        Assert.Equal([.. Enumerable.Range(0, 10), .. Enumerable.Range(4, 6), .. Enumerable.Range(0, 10)], rows);
    }

    private sealed record Part(long Rows, ValueList<string> Hosts) : TableSplit(Rows, Hosts);

    private sealed class Numbers : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => [];

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) => new Ten(split.Hosts.Count > 0, context);
    }

    private sealed unsafe class Ten(bool takes, TaskContext context) : BatchReader
    {
        private readonly TaskArena _arena = new(context, "numbers");
        private bool _ended;

        public override bool TryNext(out ColumnBatch batch)
        {
            var vector = new FlatVector(_arena, DataType.Int);
            for (var i = 0; i < 10; i++) ((int*)vector.Data)[i] = i;
            batch = new ColumnBatch([vector.Set(10, false)]);
            batch.Set(10);
            var isFirst = !_ended;
            _ended = true;
            return isFirst;
        }

        public override bool TryTake(FilterEvaluator filter) => takes;
    }
}
