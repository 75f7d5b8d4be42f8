using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Physical;

/// <summary>Chooses how kinds of plans that Sql does not know are computed: what libraries add to the planner.</summary>
public interface IPlanStrategy
{
    /// <summary>A way to compute a plan, or null if it is not this strategy's.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="planner">Plans what is below.</param>
    PhysicalPlan? Plan(LogicalPlan plan, Planner planner);
}

/// <summary>What the planner goes by.</summary>
/// <param name="Parallelism">How many tasks run at once.</param>
public sealed record PlannerOptions(int Parallelism)
{
    // A query has several tables at once, and each is beside the rows that it is made of.
    private const double SharedPart = 1.0 / 16;
    private const double PartitionPart = 1.0 / 32;

    /// <summary>Options for executors of a context.</summary>
    /// <param name="context">Where queries run.</param>
    public static PlannerOptions For(DataflowContext context) => new(context.DefaultParallelism)
    {
        SharedBuildBytes = context.ExecutorMemoryBytes * SharedPart,
        PartitionBytes = Math.Min(64 << 20, context.ExecutorMemoryBytes * PartitionPart / Math.Max(1, context.DefaultParallelism)),
    };

    /// <summary>Bytes of a build side, as estimated, up to which one table is shared by all tasks of an executor.</summary>
    public double SharedBuildBytes { get; init; } = 1L << 30;

    /// <summary>Bytes of a partition, as estimated, that a join is to put into a table.</summary>
    public double PartitionBytes { get; init; } = 64 << 20;

    /// <summary>Whether map stages run one after the other, and what they wrote decides how it is read.</summary>
    public bool IsAdaptive { get; init; } = true;

    /// <summary>Bytes that a task reads of an exchange at least, if there are as many: smaller partitions are read together.</summary>
    public double LeastReadBytes { get; init; } = 1 << 20;

    /// <summary>Bytes from which a partition may count as large, so that several tasks read it.</summary>
    public double SkewBytes { get; init; } = 64 << 20;

    /// <summary>How many times as large as the median a large partition is.</summary>
    public double SkewFactor { get; init; } = 5;

    /// <summary>Strategies that are asked first.</summary>
    public IReadOnlyList<IPlanStrategy> Strategies { get; init; } = [];
}

/// <summary>Makes a physical plan of an optimised logical one.</summary>
/// <param name="options">What it goes by.</param>
public sealed class Planner(PlannerOptions options)
{
    // Rows that one task orders as soon as several would have begun.
    private const double FewRows = 100_000;

    private readonly Dictionary<CommonDefinition, PhysicalPlan> _common = new(ReferenceEqualityComparer.Instance);

    /// <summary>What it goes by.</summary>
    public PlannerOptions Options => options;

    /// <summary>How a plan is computed.</summary>
    /// <exception cref="QueryException">It has a part that nothing can compute.</exception>
    public PhysicalPlan Plan(LogicalPlan plan) => Plan(plan, null);

    // With the columns that are wanted of it, where it need not give others; null for all.
    private PhysicalPlan Plan(LogicalPlan plan, IReadOnlySet<ColumnReference>? needed)
    {
        foreach (var strategy in options.Strategies)
        {
            if (strategy.Plan(plan, this) is { } found) return found;
        }
        return plan switch
        {
            Scan scan => new ScanExec(scan.Table, new ScanRequest(scan.Fields, scan.Filters), scan.Columns),
            Values values => new ValuesExec(values.Rows, values.Columns),
            Project project => PlanProject(project),
            Filter filter => new FilterExec(filter.Condition, Plan(filter.Input)),
            Expand expand => new ExpandExec(expand.Projections, expand.Columns, Plan(expand.Input)),
            SplitRows split => PlanSplit(split),
            Aggregate aggregate => PlanAggregate(aggregate),
            Join join => JoinPlanner.Plan(join, needed, this),
            Limit { Count: { } count, Input: Sort sort } limit => PlanTop(sort, count, limit.Offset),
            Limit limit => PlanLimit(limit),
            Sort sort => new SortedExchangeExec(sort.Orders, Cardinality.Of(sort.Input) < FewRows ? 1 : PartitionsFor(), Plan(sort.Input)),
            Union union => PlanUnion(union),
            SetOperation operation => PlanSet(operation),
            CommonTable common => PlanCommon(common),
            Plans.Window window => PlanWindow(window),
            SessionAggregate session => Plan(SessionRewrite.ToAggregate(session)),
            _ => throw new QueryException("UNSUPPORTED_FEATURE", $"Nothing computes {plan.GetType().Name} yet: {plan.Describe()}"),
        };
    }

    private SplitRowsExec PlanSplit(SplitRows split)
    {
        var input = Plan(split.Input);
        return new SplitRowsExec(PositionOf(input, split.Text), split.Separators, split.Passed.ConvertAll(column => PositionOf(input, column)), split.Output, input);
    }

    /// <summary>All rows in one partition.</summary>
    public static PhysicalPlan Single(PhysicalPlan plan) => new ExchangeExec(new SingleDistribution(), plan);

    /// <summary>Rows with equal keys in one partition; all in one if there are no keys.</summary>
    /// <param name="plan">The rows.</param>
    /// <param name="keys">Columns of it.</param>
    /// <param name="partitions">How many partitions; 0 for <see cref="PartitionsFor"/>.</param>
    public PhysicalPlan ByKeys(PhysicalPlan plan, IEnumerable<ColumnReference> keys, int partitions = 0)
    {
        ValueList<int> positions = [.. keys.Select(key => PositionOf(plan, key))];
        return positions.Count == 0 ? Single(plan) : new ExchangeExec(new HashDistribution(positions, partitions > 0 ? partitions : PartitionsFor()), plan);
    }

    /// <summary>How many partitions rows are placed in.</summary>
    public int PartitionsFor() => Math.Max(2, options.Parallelism * 2);

    internal static int PositionOf(PhysicalPlan plan, ColumnReference column) => plan.Output.IndexOf(column) is >= 0 and var position
        ? position
        : throw new InvalidOperationException($"{column} is no column of {plan.Describe()}. This is a mistake in Dataflow: please report it.");

    // What gives its input's columns as they are is its input.
    private PhysicalPlan PlanProject(Project project)
    {
        var input = Plan(project.Input, project.Items.SelectMany(item => item.Value.References()).ToHashSet());
        var isSame = project.Items.Count == input.Output.Count
            && project.Items.Zip(input.Output).All(pair => pair.First.Column == pair.Second && pair.First.Value == (Expression)pair.Second);
        return isSame ? input : new ProjectExec(project.Items, input);
    }

    private PhysicalPlan PlanAggregate(Aggregate aggregate)
    {
        if (DistinctAggregates.Rewrite(aggregate) is { } rewritten) return Plan(rewritten);
        var states = aggregate.Aggregates.SelectMany(each =>
        {
            var call = (AggregateCall)each.Value;
            return call.Function.StateTypes(call).Select((type, i) => new ColumnReference($"{each.Column.Name}.{i}", type, true));
        });
        var partial = new PartialAggregateExec(aggregate.Keys, aggregate.Aggregates, [.. states], Plan(aggregate.Input));
        var keys = aggregate.Keys.ConvertAll(key => key.Column);
        var placed = ByKeys(partial, keys);
        if (placed is ExchangeExec { Distribution: HashDistribution hash } exchange) placed = exchange with { Distribution = hash with { HasRanges = true } };
        return new FinalAggregateExec(keys, aggregate.Aggregates, placed);
    }

    private PhysicalPlan PlanTop(Sort sort, long count, long offset)
    {
        var wanted = Sum(count, offset);
        var input = Plan(sort.Input);
        DynamicFilterSlot? slot = null;
        if (wanted > 0 && sort.Orders.Count > 0 && TopFilterSource.Takes(sort.Orders[0]) && TopFilterSource.IsOfSingleRows(input))
        {
            slot = new DynamicFilterSlot($"top {wanted} of {sort.Orders[0].Key}");
            if (DynamicFilterPlans.Push(input, (ColumnReference)sort.Orders[0].Key, slot) is { } filtered) input = filtered;
            else slot = null;
        }
        var ofTasks = new ExchangeExec(new SingleDistribution(), new SortExec(sort.Orders, wanted, input) { Bound = slot }) { Bound = slot };
        var best = new SortExec(sort.Orders, wanted, ofTasks);
        return offset == 0 ? best : new LimitExec(count, offset, best);
    }

    private PhysicalPlan PlanLimit(Limit limit)
    {
        var input = Plan(limit.Input);
        if (limit.Count is { } count) input = new LimitExec(Sum(count, limit.Offset), 0, input);
        return new LimitExec(limit.Count, limit.Offset, Single(input));
    }

    // More rows than there can be are all of them.
    private static long Sum(long count, long offset) => count > long.MaxValue - offset ? long.MaxValue : count + offset;

    private PhysicalPlan PlanUnion(Union union) => new UnionExec(union.Branches.ConvertAll(Plan), union.Columns);

    private PhysicalPlan PlanSet(SetOperation operation) => Plan(SetRewrite.ToAggregate(operation));

    // Read more than once, computed once: its rows are kept as those of an exchange are.
    private PhysicalPlan PlanCommon(CommonTable common)
    {
        if (!_common.TryGetValue(common.Definition, out var shared))
            _common.Add(common.Definition, shared = new ExchangeExec(new RoundRobinDistribution(PartitionsFor()), Plan(common.Definition.Plan)));
        return new ProjectExec([.. common.Columns.Zip(common.Definition.Plan.Output, (column, source) => new NamedExpression(source, column))], shared);
    }

    private PhysicalPlan PlanWindow(Plans.Window window)
    {
        var first = (WindowExpression)window.Items[0].Value;
        var input = Plan(window.Input);

        // Partition keys that are not columns are computed first.
        var added = first.Partitions.Where(key => key is not ColumnReference).Distinct().Select((key, i) => NamedExpression.New(key, $"partition key {i}")).ToList();
        if (added.Count > 0) input = new ProjectExec([.. input.Output.Select(NamedExpression.Pass), .. added], input);
        ValueList<ColumnReference> keys = [.. first.Partitions.Select(key => key as ColumnReference ?? added.First(each => each.Value == key).Column)];
        var sorted = new SortExec([.. keys.Select(key => new SortOrder(key, false, true)), .. first.Orders], null, ByKeys(input, keys));
        PhysicalPlan computed = new WindowExec(keys, window.Items, sorted);
        return added.Count == 0 ? computed : new ProjectExec(window.Output.ConvertAll(NamedExpression.Pass), computed);
    }
}
