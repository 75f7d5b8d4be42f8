using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Tracking;

namespace Dataflow.Sql.Adaptive;

/// <summary>
/// Runs the map stages of a plan, from the bottom up, and chooses by what they wrote how it is read: small partitions together, large ones by several
/// tasks; a join whose build side turned out small shares one table, one whose build side turned out much larger than estimated is parted by keys.
/// </summary>
/// <remarks>The plan stays as it is; the run notes what stands in the place of its parts (<see cref="QueryRun.Replace"/>). Stages that do not wait for each
/// other run at once.</remarks>
internal sealed class AdaptivePlanner
{
    // Joins change only if the table is so many times larger than may be shared: the rows are exchanged once more.
    private const double MuchLarger = 2;

    private readonly QueryRun _run;
    private readonly PlannerOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly Lock _lock = new();
    private readonly Dictionary<PhysicalPlan, Task> _prepared = new(ReferenceEqualityComparer.Instance);

    private AdaptivePlanner(QueryRun run, PlannerOptions options, CancellationToken cancellation)
    {
        _run = run;
        _options = options;
        _cancellation = cancellation;
    }

    /// <summary>Makes a run ready: after it, one job computes the plan.</summary>
    public static Task PrepareAsync(PhysicalPlan plan, QueryRun run, PlannerOptions options, CancellationToken cancellation) =>
        options.IsAdaptive ? new AdaptivePlanner(run, options, cancellation).PrepareAsync(plan) : Task.CompletedTask;

    // Parts that several others read are prepared once.
    private Task PrepareAsync(PhysicalPlan plan)
    {
        lock (_lock)
        {
            if (!_prepared.TryGetValue(plan, out var task)) _prepared.Add(plan, task = RunAsync(plan));
            return task;
        }
    }

    private async Task RunAsync(PhysicalPlan plan)
    {
        switch (plan)
        {
            case HashJoinExec { IsShared: false, Left: ExchangeExec { Distribution: HashDistribution } left, Right: ExchangeExec { Distribution: HashDistribution } right } join:
                await Task.WhenAll(PrepareAsync(left.Input), PrepareAsync(right.Input)).ConfigureAwait(false);
                await PartedAsync(join, join, left, right, mayShare: true).ConfigureAwait(false);
                break;
            case FinalAggregateExec { Input: ExchangeExec { Distribution: HashDistribution } exchange } aggregate:
                await PrepareAsync(exchange.Input).ConfigureAwait(false);
                await AggregateAsync(aggregate, exchange).ConfigureAwait(false);
                break;
            case ExchangeExec { Distribution: HashDistribution } exchange:
                await PrepareAsync(exchange.Input).ConfigureAwait(false);
                Read(exchange, ReadRanges.Of(await SizesOf(exchange).ConfigureAwait(false), null, false, false, _options).ConvertAll(piece => piece.Left));
                break;
            case HashJoinExec { IsShared: true } join:
                await Task.WhenAll(plan.Inputs.Select(PrepareAsync)).ConfigureAwait(false);
                await SharedAsync(join).ConfigureAwait(false);
                break;
            default:
                await Task.WhenAll(plan.Inputs.Select(PrepareAsync)).ConfigureAwait(false);
                break;
        }
    }

    private async Task PartedAsync(PhysicalPlan place, HashJoinExec join, ExchangeExec left, ExchangeExec right, bool mayShare)
    {
        var build = await SizesOf(right).ConfigureAwait(false);
        var (bytes, rows) = Total(build);
        if (mayShare && join.Kind != JoinKind.Full && bytes + (rows * JoinPlanner.BytesOfRow) <= _options.SharedBuildBytes)
        {
            var read = new ExchangeReadExec(_run.DependencyOf(right), right.Output, [], $"{right.Describe()}, read whole: {bytes:N0} bytes", right.Input);
            _run.Replace(place, join with { IsShared = true, Left = left.Input, Right = read });
            return;
        }
        var going = await SizesOf(left).ConfigureAwait(false);

        // A row of the left meets all its matches in each piece of its partition; one of the right is met by all only where no row without match is wanted.
        var pieces = ReadRanges.Of(going, build, join.Kind != JoinKind.Full, join.Kind == JoinKind.Inner, _options);
        Read(left, pieces.ConvertAll(piece => piece.Left));
        Read(right, pieces.ConvertAll(piece => piece.Right));
    }

    private async Task SharedAsync(HashJoinExec join)
    {
        if (JoinPlanner.NeedsWholeTable(join.Kind, join.MarkColumn, join.RightKeys.Count)) return;
        var build = _run.BuildOf(join);
        var sizes = await _run.Context.RunMapStageAsync(build, _cancellation).ConfigureAwait(false);
        var (bytes, rows) = Total(sizes);
        var size = bytes + (rows * JoinPlanner.BytesOfRow);
        if (size <= _options.SharedBuildBytes * MuchLarger) return;
        var partitions = JoinPlanner.PartitionsOf(size, _options, Math.Max(2, _options.Parallelism * 2));
        ValueList<ReadRange> pieces = [.. ReadRanges.Split(sizes, 0, Math.Max(1, bytes / Math.Max(1, _options.Parallelism * 2))).Select(piece => new ReadRange(0, 1, piece.Start, piece.End))];
        var written = new ExchangeReadExec(build, join.Right.Output, pieces, $"Exchange single, read by {pieces.Count} tasks: {bytes:N0} bytes", join.Right);
        var right = Placed(written, join.RightKeys, partitions);
        var (input, keys) = JoinPlanner.WithColumns(join.Left, join.LeftKeys);
        var left = Placed(input, keys, partitions);
        var parted = new HashJoinExec(join.Kind, left, right, [.. keys], join.RightKeys, join.Condition, IsShared: false, join.MarkColumn)
        {
            NullSafeKeys = join.NullSafeKeys,
            Kept = join.Kept,
        };

        // Keys that were computed beside the left do not come out.
        _run.Replace(join, parted.Output.Count == join.Output.Count ? parted : new ProjectExec(join.Output.ConvertAll(NamedExpression.Pass), parted));
        await PartedAsync(parted, parted, left, right, mayShare: false).ConfigureAwait(false);
    }

    // A large partition is merged in pieces first, and what is left of it is exchanged once more.
    private async Task AggregateAsync(FinalAggregateExec aggregate, ExchangeExec exchange)
    {
        var sizes = await SizesOf(exchange).ConfigureAwait(false);
        var hash = (HashDistribution)exchange.Distribution;
        var isSkewed = aggregate.Keys.Count > 0 && ReadRanges.HasLarge(sizes, _options);
        var pieces = ReadRanges.Of(sizes, null, isSkewed, false, _options).ConvertAll(piece => piece.Left);
        if (!isSkewed)
        {
            Read(exchange, pieces);
            return;
        }
        var calls = aggregate.Aggregates.ConvertAll(each => (AggregateCall)each.Value);
        var merged = new MergeStatesExec(aggregate.Keys, calls, ReadOf(exchange, pieces));
        var again = new ExchangeExec(hash, merged);
        _run.Replace(aggregate, aggregate with { Input = again });
        Read(again, ReadRanges.Of(await SizesOf(again).ConfigureAwait(false), null, false, false, _options).ConvertAll(piece => piece.Left));
    }

    private static ExchangeExec Placed(PhysicalPlan plan, IEnumerable<ColumnReference> keys, int partitions) =>
        new(new HashDistribution([.. keys.Select(key => Planner.PositionOf(plan, key))], partitions), plan);

    private Task<MapOutputSizes> SizesOf(ExchangeExec exchange) => _run.Context.RunMapStageAsync(_run.DependencyOf(exchange), _cancellation);

    private void Read(ExchangeExec exchange, List<ReadRange> ranges) => _run.Replace(exchange, ReadOf(exchange, ranges));

    private ExchangeReadExec ReadOf(ExchangeExec exchange, List<ReadRange> ranges)
    {
        var split = ranges.Where(range => range.MapEnd != int.MaxValue).Select(range => range.Start).Distinct().Count();
        var what = $"{exchange.Describe()}, read by {ranges.Count} task{(ranges.Count == 1 ? "" : "s")}{(split == 0 ? "" : $", {split} large partition{(split == 1 ? "" : "s")} in pieces")}";
        return new ExchangeReadExec(_run.DependencyOf(exchange), exchange.Output, [.. ranges], what, exchange.Input);
    }

    private static (long Bytes, long Rows) Total(MapOutputSizes sizes)
    {
        var (bytes, rows) = (0L, 0L);
        for (var i = 0; i < sizes.ReducePartitions; i++)
        {
            bytes += sizes.BytesOf(i);
            rows += sizes.RowsOf(i);
        }
        return (bytes, rows);
    }
}
