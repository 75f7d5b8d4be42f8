using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Caching;

/// <summary>The plans of a session that are kept. A query reads them wherever a part of it is the same plan, whatever its columns are called.</summary>
internal sealed class CachedPlans(SqlSession session)
{
    private readonly Lock _lock = new();
    private volatile Dictionary<LogicalPlan, CachedFrame> _frames = [];

    /// <summary>Keeps a plan from now on.</summary>
    /// <exception cref="InvalidOperationException">It is kept at another level already.</exception>
    public void Add(LogicalPlan plan, StorageLevel level, string? text)
    {
        var key = PlanKey.Of(plan);
        lock (_lock)
        {
            if (_frames.TryGetValue(key, out var known))
            {
                if (known.Level == level) return;
                throw new InvalidOperationException($"The frame is kept at {known.Level} already. Unpersist it first, to keep it at {level}.");
            }
            _frames = new Dictionary<LogicalPlan, CachedFrame>(_frames) { [key] = new CachedFrame(session, plan, level, text) };
        }
    }

    /// <summary>Where a plan is kept.</summary>
    public CachedFrame? Find(LogicalPlan plan) => _frames.Count == 0 ? null : _frames.GetValueOrDefault(PlanKey.Of(plan));

    /// <summary>Keeps a plan no longer.</summary>
    public void Remove(LogicalPlan plan)
    {
        CachedFrame? frame;
        lock (_lock)
        {
            var key = PlanKey.Of(plan);
            if (!_frames.TryGetValue(key, out frame)) return;
            var left = new Dictionary<LogicalPlan, CachedFrame>(_frames);
            left.Remove(key);
            _frames = left;
        }
        frame.Drop();
    }

    /// <summary>A plan that reads what is kept, where it is.</summary>
    /// <param name="plan">A bound plan.</param>
    /// <param name="except">What is computed for the sake of being kept does not read itself.</param>
    public LogicalPlan Replace(LogicalPlan plan, CachedFrame? except = null)
    {
        var frames = _frames;
        return frames.Count == 0 ? plan : new Replacing(frames, except).Map(plan);
    }

    private sealed class Replacing(Dictionary<LogicalPlan, CachedFrame> frames, CachedFrame? except)
    {
        private readonly HashSet<(Type Kind, int Columns)> _wanted = [.. frames.Keys.Select(plan => (plan.GetType(), plan.Output.Count))];
        private readonly Dictionary<CommonDefinition, CommonDefinition> _common = new(ReferenceEqualityComparer.Instance);

        // From the top down: the largest part that is kept is read.
        public LogicalPlan Map(LogicalPlan plan)
        {
            if (_wanted.Contains((plan.GetType(), plan.Output.Count)) && frames.TryGetValue(PlanKey.Of(plan), out var frame) && frame != except)
                return new Scan(frame, [.. Enumerable.Range(0, plan.Output.Count)], plan.Output, []);
            if (plan is CommonTable common) return Map(common);
            var inputs = plan.Inputs.ConvertAll(Map);
            if (!inputs.Zip(plan.Inputs, ReferenceEquals).All(isSame => isSame)) plan = plan.WithInputs(inputs);
            return plan.Expressions.Any(expression => expression.Parts().Any(part => part is SubqueryExpression)) ? plan.MapExpressions(Map) : plan;
        }

        private CommonTable Map(CommonTable common)
        {
            if (!_common.TryGetValue(common.Definition, out var definition))
            {
                var plan = Map(common.Definition.Plan);
                definition = ReferenceEquals(plan, common.Definition.Plan) ? common.Definition : new CommonDefinition(common.Definition.Name, plan);
                _common.Add(common.Definition, definition);
            }
            return ReferenceEquals(definition, common.Definition) ? common : common with { Definition = definition };
        }

        private Expression Map(Expression expression) => expression.Rewrite(part =>
        {
            if (part is not SubqueryExpression subquery) return part;
            var plan = Map(subquery.Plan);
            return ReferenceEquals(plan, subquery.Plan) ? part : subquery.WithPlan(plan);
        });
    }
}
