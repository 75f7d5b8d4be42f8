namespace Dataflow.Sql.Tests.Queries;

/// <summary>A query as SQL, and the rows that LINQ computes for it.</summary>
internal sealed record RandomRelation(string Sql, IReadOnlyList<(string Name, RandomKind Kind)> Columns, List<object?[]> Rows, bool IsOrdered = false, bool HasSubquery = false);

/// <summary>Makes random queries over tables: nested selects, joins of all kinds, groups, windows, set operations, subqueries that read what is around them.</summary>
internal sealed class RandomQuery
{
    private readonly Random _random;
    private readonly IReadOnlyList<RandomRelation> _tables;
    private readonly RandomExpressions _expressions;
    private int _names;
    private int _subqueries;

    public RandomQuery(Random random, IReadOnlyList<RandomRelation> tables)
    {
        _random = random;
        _tables = tables;
        _expressions = new RandomExpressions(random, Subquery);
    }

    /// <summary>The next query.</summary>
    public RandomRelation Next()
    {
        _names = 0;
        _subqueries = 0;
        var query = _random.Next(5) switch
        {
            0 => Sets(),
            1 => Ordered(Select(2)),
            _ => Select(2),
        };
        return query;
    }

    private RandomRelation Sets()
    {
        var left = Select(1);
        var right = Select(1);
        var kinds = left.Columns.Select(column => column.Kind).ToList();
        right = Shaped(right, kinds);
        string[] names = ["UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"];
        var name = names[_random.Next(names.Length)];
        List<object?[]> rows = name switch
        {
            "UNION ALL" => [.. left.Rows, .. right.Rows],
            "UNION" => [.. left.Rows.Concat(right.Rows).Distinct(RowEquality.Instance)],
            "INTERSECT" => [.. left.Rows.Intersect(right.Rows, RowEquality.Instance)],
            "EXCEPT" => [.. left.Rows.Except(right.Rows, RowEquality.Instance)],
            _ => Counted(left.Rows, right.Rows, name == "INTERSECT ALL"),
        };
        return new RandomRelation($"({left.Sql}) {name} ({right.Sql})", left.Columns, rows, HasSubquery: left.HasSubquery || right.HasSubquery);
    }

    private static List<object?[]> Counted(List<object?[]> left, List<object?[]> right, bool isIntersect)
    {
        var counts = right.GroupBy(row => row, RowEquality.Instance).ToDictionary(group => group.Key, group => group.Count(), RowEquality.Instance);
        return [.. left.Where(row =>
        {
            var isThere = counts.TryGetValue(row, out var count) && count > 0;
            if (isThere) counts[row] = count - 1;
            return isThere == isIntersect;
        })];
    }

    // Columns of the kinds that are wanted, by what the relation has.
    private RandomRelation Shaped(RandomRelation relation, List<RandomKind> kinds)
    {
        var name = NewName();
        var columns = ColumnsOf(relation, name, 0);
        var items = kinds.ConvertAll(kind => _expressions.Any(columns, kind, 0));
        var sql = $"SELECT {string.Join(", ", items.Select((item, i) => $"{item.Sql} AS c{i}"))} FROM ({relation.Sql}) {name}";
        return new RandomRelation(sql, [.. kinds.Select((kind, i) => ($"c{i}", kind))], [.. relation.Rows.Select(row => items.Select(item => item.Value(row)).ToArray())],
            HasSubquery: relation.HasSubquery || items.Exists(item => item.HasSubquery));
    }

    private RandomRelation Ordered(RandomRelation query)
    {
        var name = NewName();
        var descending = query.Columns.Select(_ => _random.Next(2) == 0).ToArray();
        var nullsFirst = query.Columns.Select(_ => _random.Next(2) == 0).ToArray();
        var orders = query.Columns.Select((column, i) => $"{column.Name}{(descending[i] ? " DESC" : "")} NULLS {(nullsFirst[i] ? "FIRST" : "LAST")}");
        var limit = _random.Next(8);
        var offset = _random.Next(3);
        var rows = query.Rows.Order(Comparer<object?[]>.Create((a, b) =>
        {
            for (var i = 0; i < a.Length; i++)
            {
                var order = CompareNulls(a[i], b[i], nullsFirst[i], descending[i]);
                if (order != 0) return order;
            }
            return 0;
        })).Skip(offset).Take(limit).ToList();
        var tail = offset == 0 ? "" : $" OFFSET {offset}";
        return new RandomRelation($"SELECT * FROM ({query.Sql}) {name} ORDER BY {string.Join(", ", orders)} LIMIT {limit}{tail}", query.Columns, rows, true, query.HasSubquery);
    }

    private static int CompareNulls(object? a, object? b, bool nullsFirst, bool descending)
    {
        if (a is null || b is null) return a is null && b is null ? 0 : a is null == nullsFirst ? -1 : 1;
        return descending ? RandomExpressions.Compare(b, a) : RandomExpressions.Compare(a, b);
    }

    private string NewName() => $"q{_names++}";

    private static List<RandomColumn> ColumnsOf(RandomRelation relation, string name, int first) =>
        [.. relation.Columns.Select((column, i) => new RandomColumn($"{name}.{column.Name}", column.Kind, first + i))];

    private RandomRelation Source(int depth) => depth > 0 && _random.Next(3) == 0 ? Select(depth - 1) : _tables[_random.Next(_tables.Count)];

    private RandomRelation Select(int depth)
    {
        var (from, columns, rows, hasSubquery) = From(depth);
        var sql = from;
        if (_random.Next(2) == 0)
        {
            var where = _expressions.Truth(columns, 2);
            sql += $" WHERE {where.Sql}";
            rows = [.. rows.Where(where.IsTrue)];
            hasSubquery |= where.HasSubquery;
        }
        var made = _random.Next(6) switch
        {
            0 or 1 => Grouped(sql, columns, rows),
            2 => Windowed(sql, columns, rows),
            _ => Projected(sql, columns, rows),
        };
        return made with { HasSubquery = made.HasSubquery | hasSubquery };
    }

    private RandomRelation Projected(string from, List<RandomColumn> columns, List<object?[]> rows)
    {
        var kinds = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => (RandomKind)_random.Next(3)).ToList();
        var items = kinds.ConvertAll(kind => _expressions.Any(columns, kind));
        var isDistinct = _random.Next(4) == 0;
        var result = rows.Select(row => items.Select(item => item.Value(row)).ToArray());
        if (isDistinct) result = result.Distinct(RowEquality.Instance);
        var list = string.Join(", ", items.Select((item, i) => $"{item.Sql} AS c{i}"));
        return new RandomRelation(
            $"SELECT {(isDistinct ? "DISTINCT " : "")}{list} FROM {from}", [.. kinds.Select((kind, i) => ($"c{i}", kind))], [.. result], HasSubquery: items.Exists(item => item.HasSubquery));
    }

    private RandomRelation Grouped(string from, List<RandomColumn> columns, List<object?[]> rows)
    {
        var keys = Enumerable.Range(0, _random.Next(3)).Select(_ => columns[_random.Next(columns.Count)]).DistinctBy(column => column.Sql).ToList();
        var aggregates = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => RandomAggregate.Make(_random, _expressions, columns)).ToList();
        var having = _random.Next(3) == 0 ? aggregates[0] : null;
        var groups = rows.GroupBy(row => keys.Select(key => row[key.Place]).ToArray(), RowEquality.Instance).Select(group => (group.Key, Rows: group.ToList())).ToList();
        if (keys.Count == 0) groups = [([], rows)];
        if (having is not null) groups = [.. groups.Where(group => having.Value(group.Rows) is not null)];
        List<object?[]> result = [.. groups.Select(group => group.Key.Concat(aggregates.Select(aggregate => aggregate.Value(group.Rows))).ToArray())];
        var items = keys.Select(key => key.Sql).Concat(aggregates.Select(aggregate => aggregate.Sql)).Select((item, i) => $"{item} AS c{i}");
        var sql = $"SELECT {string.Join(", ", items)} FROM {from}";
        if (keys.Count > 0) sql += $" GROUP BY {string.Join(", ", keys.Select(key => key.Sql))}";
        if (having is not null) sql += $" HAVING {having.Sql} IS NOT NULL";
        var kinds = keys.Select(key => key.Kind).Concat(aggregates.Select(aggregate => aggregate.Kind)).Select((kind, i) => ($"c{i}", kind)).ToList();
        return new RandomRelation(sql, kinds, result, HasSubquery: aggregates.Exists(aggregate => aggregate.HasSubquery));
    }

    // All columns and then one number of the row's place among others.
    private RandomRelation Windowed(string from, List<RandomColumn> columns, List<object?[]> rows)
    {
        var partition = columns[_random.Next(columns.Count)];
        var order = columns[_random.Next(columns.Count)];
        var numbers = columns.Where(column => column.Kind == RandomKind.Number).ToList();
        var measured = numbers.Count > 0 ? numbers[_random.Next(numbers.Count)] : null;
        var kept = columns.Take(3).ToList();
        var over = $"OVER (PARTITION BY {partition.Sql} ORDER BY {order.Sql})";
        var (call, value) = _random.Next(4) switch
        {
            0 => ($"rank() {over}", (Func<List<object?[]>, object?[], object?>)((all, row) => 1L + all.Count(other => CompareNulls(other[order.Place], row[order.Place], true, false) < 0))),
            1 => ($"count(*) {over}", (all, row) => (long)all.Count(other => CompareNulls(other[order.Place], row[order.Place], true, false) <= 0)),
            2 when measured is not null => ($"sum({measured.Sql}) {over}", (all, row) =>
                SumOf(all.Where(other => CompareNulls(other[order.Place], row[order.Place], true, false) <= 0).Select(other => other[measured.Place]))),
            _ when measured is not null => ($"sum({measured.Sql}) OVER (PARTITION BY {partition.Sql})", (all, _) => SumOf(all.Select(other => other[measured.Place]))),
            _ => ($"count(*) OVER (PARTITION BY {partition.Sql})", (all, _) => (long)all.Count),
        };
        var groups = rows.ToLookup(row => new object?[] { row[partition.Place] }, RowEquality.Instance);
        List<object?[]> result = [.. rows.Select(row => kept.Select(column => row[column.Place]).Append(value([.. groups[[row[partition.Place]]]], row)).ToArray())];
        var items = kept.Select(column => column.Sql).Append(call).Select((item, i) => $"{item} AS c{i}");
        return new RandomRelation(
            $"SELECT {string.Join(", ", items)} FROM {from}", [.. kept.Select(column => column.Kind).Append(RandomKind.Number).Select((kind, i) => ($"c{i}", kind))], result);
    }

    public static object? SumOf(IEnumerable<object?> values)
    {
        var numbers = values.OfType<long>().ToList();
        return numbers.Count == 0 ? null : numbers.Sum();
    }

    private (string Sql, List<RandomColumn> Columns, List<object?[]> Rows, bool HasSubquery) From(int depth)
    {
        var source = Source(depth);
        var name = NewName();
        var sql = $"({source.Sql}) {name}";
        var columns = ColumnsOf(source, name, 0);
        var rows = source.Rows;
        var hasSubquery = source.HasSubquery;
        for (var joins = _random.Next(3); joins > 0 && rows.Count < 60; joins--)
        {
            var other = Source(depth);
            hasSubquery |= other.HasSubquery;
            var otherName = NewName();
            var otherColumns = ColumnsOf(other, otherName, columns.Count);
            List<RandomColumn> both = [.. columns, .. otherColumns];
            string[] kinds = ["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"];
            var kind = kinds[_random.Next(kinds.Length)];
            var condition = Equality(columns, otherColumns);
            if (_random.Next(3) == 0 || condition is null)
            {
                // A full join can't say more of both sides than what it knows of each.
                var before = _subqueries;
                if (kind == "FULL JOIN") _subqueries = int.MaxValue;
                var more = _expressions.Truth(both, 1);
                _subqueries = kind == "FULL JOIN" ? before : _subqueries;
                var first = condition;
                condition = first is null ? more : new RandomExpression(
                    $"{first.Sql} AND {more.Sql}", RandomKind.Truth, row => first.IsTrue(row) && more.IsTrue(row), more.HasSubquery);
            }
            hasSubquery |= condition.HasSubquery;
            sql += $" {kind} ({other.Sql}) {otherName} ON {condition.Sql}";
            rows = Join(kind, rows, columns.Count, other.Rows, otherColumns.Count, condition);
            if (kind is not ("LEFT SEMI JOIN" or "LEFT ANTI JOIN")) columns = both;
        }
        return (sql, columns, rows, hasSubquery);
    }

    private RandomExpression? Equality(List<RandomColumn> left, List<RandomColumn> right)
    {
        var pairs = left.SelectMany(one => right.Where(other => other.Kind == one.Kind).Select(other => (one, other))).ToList();
        if (pairs.Count == 0) return null;
        var (first, second) = pairs[_random.Next(pairs.Count)];
        var isSafe = _random.Next(5) == 0;
        return new RandomExpression($"{first.Sql} {(isSafe ? "<=>" : "=")} {second.Sql}", RandomKind.Truth, row =>
            row[first.Place] is null || row[second.Place] is null ? isSafe && row[first.Place] is null && row[second.Place] is null : Equals(row[first.Place], row[second.Place]));
    }

    private static List<object?[]> Join(string kind, List<object?[]> left, int leftCount, List<object?[]> right, int rightCount, RandomExpression condition)
    {
        List<object?[]> result = [];
        HashSet<object?[]> met = new(ReferenceEqualityComparer.Instance);
        foreach (var row in left)
        {
            var matches = right.Where(other => condition.IsTrue([.. row, .. other])).ToList();
            foreach (var match in matches) met.Add(match);
            switch (kind)
            {
                case "LEFT SEMI JOIN" when matches.Count > 0: result.Add(row); break;
                case "LEFT ANTI JOIN" when matches.Count == 0: result.Add(row); break;
                case "LEFT SEMI JOIN" or "LEFT ANTI JOIN": break;
                default:
                    result.AddRange(matches.Select(match => (object?[])[.. row, .. match]));
                    if (matches.Count == 0 && kind is "LEFT JOIN" or "FULL JOIN" && matches.Count == 0) result.Add([.. row, .. new object?[rightCount]]);
                    break;
            }
        }
        if (kind is "RIGHT JOIN" or "FULL JOIN") result.AddRange(right.Where(row => !met.Contains(row)).Select(row => (object?[])[.. new object?[leftCount], .. row]));
        return result;
    }

    // Over one table, reading the columns around it.
    private RandomExpression? Subquery(IReadOnlyList<RandomColumn> around, RandomKind kind)
    {
        if (_subqueries > 3) return null;
        _subqueries++;
        var table = _tables[_random.Next(_tables.Count)];
        var name = NewName();
        List<RandomColumn> columns = [.. around, .. ColumnsOf(table, name, around.Count == 0 ? 0 : around.Max(column => column.Place) + 1)];
        var places = columns.Max(column => column.Place) + 1;
        var width = places - table.Columns.Count;
        var own = columns.Skip(around.Count).ToList();
        var isCorrelated = _random.Next(4) > 0;
        var condition = _random.Next(3) > 0 && Equality([.. around], own) is { } equality && isCorrelated ? equality : _expressions.Truth(isCorrelated ? columns : own, 1);
        if (_random.Next(3) == 0)
        {
            var first = condition;
            var more = _expressions.Truth(isCorrelated ? columns : own, 1);
            condition = new RandomExpression($"{first.Sql} AND {more.Sql}", RandomKind.Truth, row => first.IsTrue(row) && more.IsTrue(row));
        }
        List<object?[]> Rows(object?[] row) => [.. table.Rows.Select(inner => (object?[])[.. row.Take(width), .. inner]).Where(condition.IsTrue)];
        var from = $"FROM ({table.Sql}) {name} WHERE {condition.Sql}";
        if (kind == RandomKind.Number)
        {
            var aggregate = RandomAggregate.Make(_random, _expressions, own);
            if (aggregate.Kind != RandomKind.Number) return null;
            return new RandomExpression($"(SELECT {aggregate.Sql} {from})", kind, row => aggregate.Value(Rows(row)), true);
        }
        var isNot = _random.Next(2) == 0;
        if (_random.Next(2) == 0) return new RandomExpression($"({(isNot ? "NOT " : "")}EXISTS (SELECT 1 {from}))", kind, row => Rows(row).Count > 0 ^ isNot, true);
        var sought = own[_random.Next(own.Count)];
        var operand = _expressions.Any(around, sought.Kind, 0);
        return new RandomExpression($"({operand.Sql} {(isNot ? "NOT " : "")}IN (SELECT {sought.Sql} {from}))", kind, row =>
        {
            var values = Rows(row).Select(inner => inner[sought.Place]).ToList();
            if (values.Count == 0) return isNot;
            if (operand.Value(row) is not { } value) return null;
            if (values.Contains(value)) return !isNot;
            return values.Contains(null) ? null : isNot;
        }, true);
    }
}

/// <summary>Rows are equal if all their values are; nulls too.</summary>
internal sealed class RowEquality : IEqualityComparer<object?[]>
{
    public static RowEquality Instance { get; } = new();

    public bool Equals(object?[]? x, object?[]? y) => x!.SequenceEqual(y!);

    public int GetHashCode(object?[] row)
    {
        var hash = new HashCode();
        foreach (var value in row) hash.Add(value);
        return hash.ToHashCode();
    }
}
