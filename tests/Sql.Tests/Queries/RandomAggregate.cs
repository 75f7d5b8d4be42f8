namespace Dataflow.Sql.Tests.Queries;

/// <summary>An aggregate as SQL, and as a function of rows.</summary>
internal sealed record RandomAggregate(string Sql, RandomKind Kind, Func<List<object?[]>, object?> Value, bool HasSubquery)
{
    public static RandomAggregate Make(Random random, RandomExpressions expressions, List<RandomColumn> columns)
    {
        var kind = random.Next(2) == 0 ? RandomKind.Number : (RandomKind)random.Next(3);
        var argument = expressions.Any(columns, kind, 1);
        var isDistinct = random.Next(4) == 0;
        var filter = random.Next(5) == 0 ? expressions.Truth(columns, 1) : null;
        var distinct = isDistinct ? "DISTINCT " : "";
        var tail = filter is null ? "" : $" FILTER (WHERE {filter.Sql})";
        var hasSubquery = argument.HasSubquery || (filter?.HasSubquery ?? false);
        switch (random.Next(5))
        {
            case 0: return new RandomAggregate($"count(*){tail}", RandomKind.Number, rows => (long)Counted(rows).Count(), hasSubquery);
            case 1: return new RandomAggregate($"count({distinct}{argument.Sql}){tail}", RandomKind.Number, rows => (long)Values(rows).Count, hasSubquery);
            case 2 when kind == RandomKind.Number: return new RandomAggregate($"sum({distinct}{argument.Sql}){tail}", kind, rows => RandomQuery.SumOf(Values(rows)), hasSubquery);
            case 3: return new RandomAggregate($"min({argument.Sql}){tail}", kind, rows => Values(rows).OrderBy(value => value, Order).FirstOrDefault(), hasSubquery);
            default: return new RandomAggregate($"max({distinct}{argument.Sql}){tail}", kind, rows => Values(rows).OrderBy(value => value, Order).LastOrDefault(), hasSubquery);
        }

        IEnumerable<object?[]> Counted(List<object?[]> rows) => filter is null ? rows : rows.Where(filter.IsTrue);

        List<object> Values(List<object?[]> rows)
        {
            var values = Counted(rows).Select(argument.Value).OfType<object>();
            return isDistinct ? [.. values.Distinct()] : [.. values];
        }
    }

    private static Comparer<object> Order { get; } = Comparer<object>.Create(RandomExpressions.Compare);
}
