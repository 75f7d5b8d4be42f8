using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Records;
using Dataflow.Sql.Sources;
using Dataflow.Storage;

namespace Dataflow.Sql.Caching;

/// <summary>A plan whose rows are kept once something has computed them, as the table that queries read in its place.</summary>
internal sealed class CachedFrame : IRddTable
{
    private readonly SqlSession _session;
    private readonly ValueList<DataType> _types;
    private readonly Lock _lock = new();
    private readonly CollectionAccumulator<CachePart> _parts;
    private readonly string? _text;
    private Rdd<Slab>? _blocks;
    private TableStatistics? _before;
    private TableStatistics? _filled;

    public CachedFrame(SqlSession session, LogicalPlan plan, StorageLevel level, string? text)
    {
        _session = session;
        _text = text;
        Plan = plan;
        Level = level;
        Schema = new Schema(plan.Output.ConvertAll(column => new Field(column.Name, column.Type, column.Nullable)));
        _types = plan.Output.ConvertAll(column => column.Type);
        _parts = session.Context.CollectionAccumulator<CachePart>("cached partitions");
    }

    /// <summary>What is kept.</summary>
    public LogicalPlan Plan { get; }

    /// <summary>Where it is kept.</summary>
    public StorageLevel Level { get; }

    public string Name => Plan is Scan scan ? $"cached {scan.Table.Name}" : $"cached {Plan.GetType().Name}";

    public Schema Schema { get; }

    public TableStatistics Statistics
    {
        get
        {
            lock (_lock)
            {
                _before ??= Before();
                if (_filled is null && _blocks is not null)
                {
                    var isRepeatable = Plan.Parts().SelectMany(part => part.Expressions).All(expression => expression.IsDeterministic);
                    _filled = CacheCounts.Sum(_parts.Value, _blocks.PartitionCount, _types, at => _before.Columns.TryGetValue(at, out var known) ? known : null, isRepeatable);
                }
                return _filled ?? _before;
            }
        }
    }

    public bool TakesDynamicFilters => true;

    public Rdd<ColumnBatch> ToRdd(ScanRequest request, ValueList<ScanFilterSource> filters)
    {
        lock (_lock) _blocks ??= Blocks();
        return new CacheScanRdd(_blocks, _types, request, filters);
    }

    /// <summary>Drops what is kept; queries that read it now go on.</summary>
    public void Drop()
    {
        lock (_lock) _blocks?.Unpersist();
    }

    // The run is the Rdd's: what it exchanged stays, to compute a lost partition of, until the Rdd is gone.
    private Rdd<Slab> Blocks()
    {
        var physical = _session.Planner().Plan(_session.Optimise(Plan, except: this));
        var rows = physical.ToRdd(new QueryRun(_session.Context, new QueryScope(_session.Settings(), _text)));
        return new CacheFillRdd(rows, _types, _parts).Persist(Level);
    }

    private TableStatistics Before()
    {
        if (Plan is Scan { Filters.Count: 0 } scan && scan.Fields.Count == scan.Table.Schema.Count) return scan.Table.Statistics;
        var optimised = _session.Optimise(Plan, except: this);
        var columns = new Dictionary<int, ColumnStatistics>();
        for (var i = 0; i < Plan.Output.Count; i++)
        {
            if (Cardinality.StatisticsOf(optimised, optimised.Output[i]) is { } known) columns[i] = known;
        }
        return new TableStatistics((long)Math.Min(long.MaxValue / 2, Cardinality.Of(optimised)), -1) { Columns = columns };
    }
}
