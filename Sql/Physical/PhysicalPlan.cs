using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Physical;

/// <summary>How a relation is computed: a tree that becomes Rdds of batches. Immutable. Libraries may add kinds of their own.</summary>
public abstract record PhysicalPlan
{
    /// <summary>The columns it gives, in the order its batches have them.</summary>
    public abstract ValueList<ColumnReference> Output { get; }

    /// <summary>What it reads.</summary>
    public abstract ValueList<PhysicalPlan> Inputs { get; }

    /// <summary>How it shows in a plan, without its inputs.</summary>
    public abstract string Describe();

    /// <summary>The Rdd that computes it; the same one each time for one run.</summary>
    /// <param name="run">The run of the query.</param>
    public Rdd<ColumnBatch> ToRdd(QueryRun run) => run.RddOf(this);

    /// <summary>Makes the Rdd. Called once a run.</summary>
    protected internal abstract Rdd<ColumnBatch> MakeRdd(QueryRun run);

    /// <summary>The whole tree, a line each.</summary>
    public sealed override string ToString() => PlanPrinter.Print(this, plan => plan.Describe(), plan => plan.Inputs);
}

/// <summary>One run of a query on the driver. When it ends, what executors keep of its exchanges is dropped.</summary>
/// <param name="context">Where its jobs run.</param>
/// <param name="scope">What expressions are computed under.</param>
public sealed class QueryRun(DataflowContext context, QueryScope scope) : IDisposable
{
    // By reference: equal parts of a plan are computed once only if the planner made them one.
    private readonly Dictionary<PhysicalPlan, Rdd<ColumnBatch>> _rdds = new(ReferenceEqualityComparer.Instance);

    /// <summary>Where its jobs run.</summary>
    public DataflowContext Context { get; } = context;

    /// <summary>What expressions are computed under.</summary>
    public QueryScope Scope { get; } = scope;

    private readonly Lock _lock = new();
    private readonly Dictionary<PhysicalPlan, PhysicalPlan> _replaced = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<PhysicalPlan, ExchangeDependency> _dependencies = new(ReferenceEqualityComparer.Instance);
    private readonly List<ShuffleDependency> _exchanges = [];
    private readonly Dictionary<Joins.DynamicFilterSlot, Joins.DynamicFilterSource> _filters = [];

    /// <summary>Drops what was exchanged.</summary>
    public void Dispose()
    {
        foreach (var exchange in _exchanges) exchange.Release();
        _exchanges.Clear();
    }

    internal void Fill(Joins.DynamicFilterSlot slot, Joins.DynamicFilterSource source) => _filters[slot] = source;

    internal Joins.DynamicFilterSource? FilterOf(Joins.DynamicFilterSlot slot) => _filters.GetValueOrDefault(slot);

    internal ExchangeDependency Exchange(Rdd<ColumnBatch> rows, ValueList<DataType> types, Distribution distribution)
    {
        var exchange = new ExchangeDependency(rows, types, distribution);
        _exchanges.Add(exchange);
        return exchange;
    }

    /// <summary>Drops a shuffle with the run.</summary>
    internal void Keep(ShuffleDependency exchange) => _exchanges.Add(exchange);

    internal Rdd<ColumnBatch> RddOf(PhysicalPlan plan)
    {
        lock (_lock)
        {
            if (_replaced.TryGetValue(plan, out var other)) return RddOf(other);
            if (!_rdds.TryGetValue(plan, out var rdd)) _rdds.Add(plan, rdd = plan.MakeRdd(this));
            return rdd;
        }
    }

    /// <summary>Has another plan, with the same rows, stand in the place of a part whose Rdd was not made yet.</summary>
    internal void Replace(PhysicalPlan plan, PhysicalPlan by)
    {
        lock (_lock) _replaced[plan] = by;
    }

    /// <summary>The shuffle of an exchange.</summary>
    internal ExchangeDependency DependencyOf(ExchangeExec exchange)
    {
        lock (_lock)
        {
            if (_dependencies.TryGetValue(exchange, out var dependency)) return dependency;
            dependency = Exchange(exchange.Input.ToRdd(this), exchange.Output.ConvertAll(column => column.Type), exchange.Distribution);
            if (exchange.Bound is not null && FilterOf(exchange.Bound) is TopFilterSource bound) bound.Shuffle = dependency.ShuffleId;
            _dependencies.Add(exchange, dependency);
            return dependency;
        }
    }

    /// <summary>The shuffle that the shared table of a join is made of.</summary>
    internal ExchangeDependency BuildOf(HashJoinExec join)
    {
        lock (_lock)
        {
            if (join.Right is Adaptive.ExchangeReadExec { Ranges.Count: 0 } whole) return whole.Exchange;
            if (!_dependencies.TryGetValue(join, out var dependency))
                _dependencies.Add(join, dependency = Exchange(join.Right.ToRdd(this), join.Right.Output.ConvertAll(column => column.Type), new SingleDistribution()));
            return dependency;
        }
    }

    /// <summary>The plan as it was run, if that is not as it was planned.</summary>
    internal string? Describe(PhysicalPlan plan)
    {
        lock (_lock) return _replaced.Count == 0 ? null : PlanPrinter.Print(plan, part => Now(part).Describe(), part => Now(part).Inputs);

        PhysicalPlan Now(PhysicalPlan part) => _replaced.TryGetValue(part, out var other) ? Now(other) : part;
    }
}

/// <summary>What expressions of a query are computed under; travels with its tasks.</summary>
/// <param name="Session">The session's settings when it began.</param>
/// <param name="Text">The query's text, for errors that show where; null if there is none.</param>
public sealed record QueryScope(SessionSettings Session, string? Text)
{
    /// <summary>What evaluators of one task need.</summary>
    /// <param name="arena">Their memory.</param>
    public EvaluatorContext In(TaskArena arena) => new(arena, Session, Text);
}
