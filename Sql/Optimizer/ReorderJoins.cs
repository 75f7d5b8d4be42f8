using System.Numerics;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// Inner joins are done in the order that is likely to make the fewest rows on the way: by dynamic programming over connected sets up to
/// <see cref="MostExact"/> inputs (G. Moerkotte and T. Neumann, "Analysis of Two Existing and One New Dynamic Programming Algorithm", 2006), greedily beyond.
/// Columns that conditions make equal to each other are so in any order: of <c>a = b</c> and <c>b = c</c> follows <c>a = c</c>.
/// </summary>
public sealed class ReorderJoins : IRule
{
    /// <summary>Inputs up to which all orders are looked at.</summary>
    public const int MostExact = 11;

    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan)
    {
        if (plan is not Join { Kind: JoinKind.Inner } join) return plan.Inputs.Count == 0 ? plan : plan.WithInputs(plan.Inputs.ConvertAll(Apply));
        List<LogicalPlan> inputs = [];
        List<Expression> conditions = [];
        Flatten(join, inputs, conditions);
        for (var i = 0; i < inputs.Count; i++) inputs[i] = Apply(inputs[i]);
        if (inputs.Count == 2 || inputs.Count > 60) return Rebuild(inputs, conditions);
        var graph = new Graph(inputs, conditions);
        var best = inputs.Count <= MostExact ? graph.Exact() : graph.Greedy();
        return Conjuncts.All(conditions.Where(condition => !graph.IsUsed(condition))) is { } rest ? new Filter(rest, best) : best;
    }

    private static void Flatten(LogicalPlan plan, List<LogicalPlan> inputs, List<Expression> conditions)
    {
        switch (plan)
        {
            case Join { Kind: JoinKind.Inner } join:
                Flatten(join.Left, inputs, conditions);
                Flatten(join.Right, inputs, conditions);
                conditions.AddRange(Conjuncts.Of(join.Condition));
                break;
            default:
                inputs.Add(plan);
                break;
        }
    }

    private static LogicalPlan Rebuild(List<LogicalPlan> inputs, List<Expression> conditions)
    {
        var result = inputs[0];
        var left = conditions;
        foreach (var input in inputs.Skip(1))
        {
            HashSet<ColumnReference> columns = [.. result.Output, .. input.Output];
            var on = left.Where(condition => condition.References().All(columns.Contains)).ToList();
            left = left.Except(on).ToList();
            result = new Join(JoinKind.Inner, result, input, Conjuncts.All(on));
        }
        return result;
    }

    private sealed class Graph
    {
        private readonly List<LogicalPlan> _inputs;
        private readonly List<(Expression Condition, ulong Reads)> _edges = [];
        private readonly EqualColumns _equal;
        private readonly Dictionary<ulong, (LogicalPlan Plan, double Cost, double Rows)> _best = [];

        public Graph(List<LogicalPlan> inputs, List<Expression> conditions)
        {
            _inputs = inputs;
            var owner = new Dictionary<ColumnReference, int>();
            for (var i = 0; i < inputs.Count; i++)
            {
                foreach (var column in inputs[i].Output) owner[column] = i;
                _best[1UL << i] = (inputs[i], 0, Cardinality.Of(inputs[i]));
            }
            _equal = new EqualColumns(owner);
            foreach (var condition in conditions.Distinct())
            {
                if (_equal.TryAdd(condition)) continue;
                var reads = condition.References().Aggregate(0UL, (all, column) => all | (1UL << owner[column]));
                if (BitOperations.PopCount(reads) >= 2) _edges.Add((condition, reads));
            }
        }

        public bool IsUsed(Expression condition) => _equal.Contains(condition) || _edges.Any(edge => edge.Condition == condition);

        public LogicalPlan Exact()
        {
            var all = (1UL << _inputs.Count) - 1;
            for (var set = 1UL; set <= all; set++)
            {
                if (BitOperations.PopCount(set) < 2) continue;

                // Pairs of parts that a condition connects; the part with the lowest input is named first, so that each pair comes once.
                var lowest = set & (~set + 1);
                for (var part = (set - 1) & set; part != 0; part = (part - 1) & set)
                {
                    if ((part & lowest) == 0) continue;
                    TryJoin(part, set ^ part, needsEdge: true);
                }
            }
            if (_best.TryGetValue(all, out var found)) return found.Plan;
            return Greedy();
        }

        public LogicalPlan Greedy()
        {
            var parts = Enumerable.Range(0, _inputs.Count).Select(i => 1UL << i).ToList();
            while (parts.Count > 1)
            {
                var (first, second, rows, isConnected) = (0, 1, double.MaxValue, false);
                for (var i = 0; i < parts.Count; i++)
                {
                    for (var j = i + 1; j < parts.Count; j++)
                    {
                        var connected = IsConnected(parts[i], parts[j]);
                        var estimate = RowsOf(parts[i], parts[j]);
                        if ((connected && !isConnected) || (connected == isConnected && estimate < rows)) (first, second, rows, isConnected) = (i, j, estimate, connected);
                    }
                }
                TryJoin(parts[first], parts[second], needsEdge: false);
                parts[first] |= parts[second];
                parts.RemoveAt(second);
            }
            return _best[parts[0]].Plan;
        }

        private List<Expression> Edges(ulong left, ulong right) =>
            [.. _equal.Between(left, right), .. _edges.Where(edge => (edge.Reads & ~(left | right)) == 0 && (edge.Reads & left) != 0 && (edge.Reads & right) != 0).Select(edge => edge.Condition)];

        // Other conditions than equalities leave pairs out only after they were made.
        private bool IsConnected(ulong left, ulong right) => Edges(left, right).Exists(condition => condition is Call { Function.Name: "=" });

        private double RowsOf(ulong left, ulong right) => JoinSize.Of(_best[left].Plan, _best[left].Rows, _best[right].Plan, _best[right].Rows, Edges(left, right));

        private void TryJoin(ulong left, ulong right, bool needsEdge)
        {
            if (!_best.TryGetValue(left, out var one) || !_best.TryGetValue(right, out var other)) return;
            if (needsEdge && !IsConnected(left, right)) return;
            var edges = Edges(left, right);
            var rows = JoinSize.Of(one.Plan, one.Rows, other.Plan, other.Rows, edges);

            // Rows that are made, and rows that are put into a table.
            var cost = one.Cost + other.Cost + rows + Math.Min(one.Rows, other.Rows);
            if (_best.TryGetValue(left | right, out var known) && known.Cost <= cost) return;
            var (probe, build) = one.Rows >= other.Rows ? (one.Plan, other.Plan) : (other.Plan, one.Plan);
            _best[left | right] = (new Join(JoinKind.Inner, probe, build, Conjuncts.All(edges)), cost, rows);
        }
    }
}
