using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.Joins;

/// <summary>How far apart the times of two rows may be that a join pairs, as its condition says.</summary>
/// <param name="Left">The time of the left side.</param>
/// <param name="Right">The time of the right side.</param>
/// <param name="LeftAfter">Most microseconds by which the left time is later than the right; null if nothing bounds it.</param>
/// <param name="RightAfter">Most microseconds by which the right time is later than the left; null if nothing bounds it.</param>
internal sealed record TimeBounds(ColumnReference Left, ColumnReference Right, long? LeftAfter, long? RightAfter)
{
    /// <summary>The bounds that a condition states, for a pair of times for which it states most; null if it compares no times.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="left">What is known of times of the left.</param>
    /// <param name="right">What is known of times of the right.</param>
    public static TimeBounds? Of(Expression? condition, Dictionary<ColumnId, EventTime> left, Dictionary<ColumnId, EventTime> right)
    {
        var found = new Dictionary<(ColumnReference Left, ColumnReference Right), TimeBounds>();
        foreach (var conjunct in Conjuncts.Of(condition))
        {
            if (conjunct is not Call { Arguments: [var first, var second] } comparison || Term.Of(first) is not { } one || Term.Of(second) is not { } other) continue;
            var name = comparison.Function.Name;
            if (left.ContainsKey(one.Column.Id) && right.ContainsKey(other.Column.Id)) Add(one, other, name);
            else if (right.ContainsKey(one.Column.Id) && left.ContainsKey(other.Column.Id)) Add(other, one, Turned(name));
        }
        return found.Values.OrderByDescending(bounds => (bounds.LeftAfter is null ? 0 : 1) + (bounds.RightAfter is null ? 0 : 1)).FirstOrDefault();

        void Add(Term mine, Term theirs, string comparison)
        {
            // left + low <= mine <= left + high, and so the other. Where nulls are equal (<=>) rows without a time match too: that is no bound.
            var leftAfter = comparison is "<" or "<=" or "=" ? theirs.High - mine.Low - (comparison == "<" ? 1 : 0) : (long?)null;
            var rightAfter = comparison is ">" or ">=" or "=" ? mine.High - theirs.Low - (comparison == ">" ? 1 : 0) : (long?)null;
            if (leftAfter is null && rightAfter is null) return;
            var key = (mine.Column, theirs.Column);
            var known = found.GetValueOrDefault(key) ?? new TimeBounds(mine.Column, theirs.Column, null, null);
            found[key] = known with { LeftAfter = Least(known.LeftAfter, leftAfter), RightAfter = Least(known.RightAfter, rightAfter) };
        }
    }

    private static long? Least(long? one, long? other) => one is { } first && other is { } second ? Math.Min(first, second) : one ?? other;

    private static string Turned(string comparison) => comparison switch
    {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => comparison,
    };

    /// <summary>A value that lies between a column's less and more some microseconds.</summary>
    private readonly record struct Term(ColumnReference Column, long Low, long High)
    {
        public static Term? Of(Expression expression) => expression switch
        {
            ColumnReference column => new Term(column, 0, 0),
            Call { Function.Name: "+", Arguments: [var value, Literal { Value: long more, Type.Kind: TypeKind.DayTimeInterval }] } => Of(value)?.Moved(more, more),
            Call { Function.Name: "+", Arguments: [Literal { Value: long more, Type.Kind: TypeKind.DayTimeInterval }, var value] } => Of(value)?.Moved(more, more),
            Call { Function.Name: "-", Arguments: [var value, Literal { Value: long less, Type.Kind: TypeKind.DayTimeInterval }] } => Of(value)?.Moved(-less, -less),
            Call { Function: TimeWindowFunction { Name: TimeWindowFunction.StartName } } window when LengthOf(window) is { } length => Of(window.Arguments[0])?.Moved(1 - length, 0),
            Call { Function: TimeWindowFunction } window when LengthOf(window) is { } length => Of(window.Arguments[0])?.Moved(1, length),
            Call { Function: WindowTimeFunction, Arguments: [var start, Literal { Value: long length }] } => Of(start)?.Moved(length - 1, length - 1),
            _ => null,
        };

        private Term Moved(long low, long high) => new(Column, Low + low, High + high);

        private static long? LengthOf(Call window) => window.Arguments.Count > 1 && window.Arguments[1] is Literal { Value: long length } && length > 0 ? length : null;
    }
}
