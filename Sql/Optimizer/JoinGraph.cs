using System.Numerics;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>Inputs of joins, the conditions between them, and the best order found so far of each set of inputs. Plans are made of the winner only.</summary>
internal sealed class JoinGraph
{
    private readonly List<LogicalPlan> _inputs;
    private readonly List<(Expression Condition, ulong Reads)> _edges = [];
    private readonly EqualColumns _equal;
    private readonly Dictionary<ulong, Order> _best = [];
    private readonly Dictionary<ColumnReference, int> _owner = [];
    private readonly Dictionary<ColumnReference, double> _distinct = [];
    private readonly ulong[] _neighbours;
    private readonly bool _isPairwise;

    public JoinGraph(List<LogicalPlan> inputs, List<Expression> conditions)
    {
        _inputs = inputs;
        for (var i = 0; i < inputs.Count; i++)
        {
            foreach (var column in inputs[i].Output) _owner[column] = i;
            _best[1UL << i] = new Order(0, 0, false, 0, Cardinality.Of(inputs[i]));
        }
        _equal = new EqualColumns(_owner);
        foreach (var condition in conditions.Distinct())
        {
            if (_equal.TryAdd(condition)) continue;
            var reads = condition.References().Aggregate(0UL, (all, column) => all | (1UL << _owner[column]));
            if (BitOperations.PopCount(reads) >= 2) _edges.Add((condition, reads));
        }

        // Equalities of two inputs each: who has an edge to whom is known once for all sets.
        _isPairwise = !_edges.Exists(edge => IsEquality(edge.Condition) && BitOperations.PopCount(edge.Reads) > 2);
        _neighbours = new ulong[inputs.Count];
        for (var i = 0; i < inputs.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (!Edges(1UL << i, 1UL << j).Exists(IsEquality)) continue;
                _neighbours[i] |= 1UL << j;
                _neighbours[j] |= 1UL << i;
            }
        }
    }

    private readonly record struct Order(ulong Left, ulong Right, bool IsLeftBuilt, double Cost, double Rows);

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
                if ((part & lowest) != 0 && _best.ContainsKey(part) && _best.ContainsKey(set ^ part) && IsConnected(part, set ^ part)) TryJoin(part, set ^ part);
            }
        }
        return _best.ContainsKey(all) ? PlanOf(all) : Greedy();
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
                    var estimate = RowsOf(parts[i], parts[j], Edges(parts[i], parts[j]));
                    if ((connected && !isConnected) || (connected == isConnected && estimate < rows)) (first, second, rows, isConnected) = (i, j, estimate, connected);
                }
            }
            TryJoin(parts[first], parts[second]);
            parts[first] |= parts[second];
            parts.RemoveAt(second);
        }
        return PlanOf(parts[0]);
    }

    private static bool IsEquality(Expression condition) => condition is Call { Function.Name: "=" };

    private List<Expression> Edges(ulong left, ulong right) =>
        [.. _equal.Between(left, right), .. _edges.Where(edge => (edge.Reads & ~(left | right)) == 0 && (edge.Reads & left) != 0 && (edge.Reads & right) != 0).Select(edge => edge.Condition)];

    // Other conditions than equalities leave pairs out only after they were made.
    private bool IsConnected(ulong left, ulong right)
    {
        if (!_isPairwise) return Edges(left, right).Exists(IsEquality);
        for (var rest = left; rest != 0; rest &= rest - 1)
        {
            if ((_neighbours[BitOperations.TrailingZeroCount(rest)] & right) != 0) return true;
        }
        return false;
    }

    private double RowsOf(ulong left, ulong right, List<Expression> edges)
    {
        var (leftRows, rightRows) = (_best[left].Rows, _best[right].Rows);
        return JoinSize.Of(
            leftRows, rightRows, edges, column => (left >> _owner[column] & 1) != 0,
            column => Math.Min(leftRows, DistinctOf(column)), column => Math.Min(rightRows, DistinctOf(column)), TableRowsOf, TableRowsOf);
    }

    private double DistinctOf(ColumnReference column)
    {
        if (!_distinct.TryGetValue(column, out var known)) _distinct[column] = known = Cardinality.DistinctOf(_inputs[_owner[column]], column, double.MaxValue);
        return known;
    }

    private double? TableRowsOf(IReadOnlyList<ColumnReference> columns)
    {
        var owner = _owner[columns[0]];
        return columns.All(column => _owner[column] == owner) ? Cardinality.TableRowsOf(_inputs[owner], columns) : null;
    }

    private void TryJoin(ulong left, ulong right)
    {
        var (one, other) = (_best[left], _best[right]);
        var rows = RowsOf(left, right, Edges(left, right));

        // Rows that are made, and rows that are put into a table.
        var cost = one.Cost + other.Cost + rows + Math.Min(one.Rows, other.Rows);
        if (_best.TryGetValue(left | right, out var known) && known.Cost <= cost) return;
        _best[left | right] = new Order(left, right, one.Rows < other.Rows, cost, rows);
    }

    private LogicalPlan PlanOf(ulong set)
    {
        var order = _best[set];
        if (order.Left == 0) return _inputs[BitOperations.TrailingZeroCount(set)];
        var (left, right) = (PlanOf(order.Left), PlanOf(order.Right));
        var (probe, build) = order.IsLeftBuilt ? (right, left) : (left, right);
        return new Join(JoinKind.Inner, probe, build, Conjuncts.All(Edges(order.Left, order.Right)));
    }
}
