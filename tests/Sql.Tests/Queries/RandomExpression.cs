using System.Globalization;

namespace Dataflow.Sql.Tests.Queries;

/// <summary>What values of a random query are: long, string or bool, each with null.</summary>
internal enum RandomKind
{
    Number,
    Text,
    Truth,
}

/// <summary>A column that an expression may read: its SQL, and its place in the row that is given.</summary>
internal sealed record RandomColumn(string Sql, RandomKind Kind, int Place);

/// <summary>An expression as SQL, and as a function of a row.</summary>
internal sealed record RandomExpression(string Sql, RandomKind Kind, Func<object?[], object?> Value, bool HasSubquery = false)
{
    public bool IsTrue(object?[] row) => Value(row) is true;
}

/// <summary>Makes expressions over columns; conditions may hold subqueries.</summary>
internal sealed class RandomExpressions(Random random, Func<IReadOnlyList<RandomColumn>, RandomKind, RandomExpression?> subquery)
{
    private static readonly string[] Texts = ["a", "b", "abc", "a longer text than twelve bytes", ""];

    public RandomExpression Any(IReadOnlyList<RandomColumn> columns, RandomKind kind, int depth = 2) => kind switch
    {
        RandomKind.Number => Number(columns, depth),
        RandomKind.Text => Text(columns, depth),
        _ => Truth(columns, depth),
    };

    /// <summary>A condition.</summary>
    public RandomExpression Truth(IReadOnlyList<RandomColumn> columns, int depth)
    {
        if (depth > 0)
        {
            switch (random.Next(12))
            {
                case 0 or 1:
                    return Both("AND", Truth(columns, depth - 1), Truth(columns, depth - 1), (a, b) => a is false || b is false ? false : a is null || b is null ? null : true);
                case 2 or 3:
                    return Both("OR", Truth(columns, depth - 1), Truth(columns, depth - 1), (a, b) => a is true || b is true ? true : a is null || b is null ? null : false);
                case 4:
                    var inner = Truth(columns, depth - 1);
                    return new RandomExpression($"(NOT {inner.Sql})", RandomKind.Truth, row => inner.Value(row) is bool flag ? !flag : null, inner.HasSubquery);
                case 5 or 6 when subquery(columns, RandomKind.Truth) is { } found:
                    return found;
                case 7:
                    var tested = Any(columns, (RandomKind)random.Next(3), depth - 1);
                    var isNot = random.Next(2) == 0;
                    return new RandomExpression($"({tested.Sql} IS {(isNot ? "NOT " : "")}NULL)", RandomKind.Truth, row => tested.Value(row) is null ^ isNot, tested.HasSubquery);
            }
        }
        var flags = columns.Where(column => column.Kind == RandomKind.Truth).ToList();
        switch (random.Next(8))
        {
            case 0 when flags.Count > 0: return Column(flags[random.Next(flags.Count)]);
            case 1: return InList(columns);
            case 2: return Between(columns);
            case 3: return Like(columns);
            default: return Comparison(columns, depth);
        }
    }

    private RandomExpression Number(IReadOnlyList<RandomColumn> columns, int depth)
    {
        var own = columns.Where(column => column.Kind == RandomKind.Number).ToList();
        if (depth <= 0 || random.Next(3) == 0)
        {
            if (own.Count > 0 && random.Next(4) > 0) return Column(own[random.Next(own.Count)]);
            var value = random.Next(10) == 0 ? (long?)null : random.Next(-1, 5);
            return new RandomExpression(value?.ToString(CultureInfo.InvariantCulture) ?? "CAST(NULL AS INT)", RandomKind.Number, _ => value);
        }
        switch (random.Next(7))
        {
            case 0 or 1:
                var sign = random.Next(2) == 0;
                return Both(sign ? "+" : "-", Number(columns, depth - 1), Number(columns, depth - 1), (a, b) => a is null || b is null ? null : sign ? (long)a + (long)b : (long)a - (long)b, RandomKind.Number);
            case 2:
                return Both("*", Number(columns, 0), Number(columns, 0), (a, b) => a is null || b is null ? null : (long)a * (long)b, RandomKind.Number);
            case 3:
                return Function("coalesce", Number(columns, depth - 1), Number(columns, depth - 1), (a, b) => a ?? b);
            case 4:
                return Function("nullif", Number(columns, depth - 1), Number(columns, depth - 1), (a, b) => Equals(a, b) ? null : a);
            case 5 when subquery(columns, RandomKind.Number) is { } found:
                return found;
            default:
                return Case(Truth(columns, depth - 1), Number(columns, depth - 1), Number(columns, depth - 1));
        }
    }

    private RandomExpression Text(IReadOnlyList<RandomColumn> columns, int depth)
    {
        var own = columns.Where(column => column.Kind == RandomKind.Text).ToList();
        if (depth <= 0 || random.Next(2) == 0)
        {
            if (own.Count > 0 && random.Next(4) > 0) return Column(own[random.Next(own.Count)]);
            var value = random.Next(10) == 0 ? null : Texts[random.Next(Texts.Length)];
            return new RandomExpression(value is null ? "CAST(NULL AS STRING)" : $"'{value}'", RandomKind.Text, _ => value);
        }
        return random.Next(2) == 0
            ? Function("coalesce", Text(columns, depth - 1), Text(columns, depth - 1), (a, b) => a ?? b)
            : Case(Truth(columns, depth - 1), Text(columns, depth - 1), Text(columns, depth - 1));
    }

    /// <summary>An order of values as SQL has it: by number, by bytes, false before true.</summary>
    public static int Compare(object left, object right) => left is string text ? string.CompareOrdinal(text, (string)right) : ((IComparable)left).CompareTo(right);

    private static RandomExpression Column(RandomColumn column) => new(column.Sql, column.Kind, row => row[column.Place]);

    private static RandomExpression Both(string sign, RandomExpression left, RandomExpression right, Func<object?, object?, object?> value, RandomKind kind = RandomKind.Truth) =>
        new($"({left.Sql} {sign} {right.Sql})", kind, row => value(left.Value(row), right.Value(row)), left.HasSubquery || right.HasSubquery);

    private static RandomExpression Function(string name, RandomExpression left, RandomExpression right, Func<object?, object?, object?> value) =>
        new($"{name}({left.Sql}, {right.Sql})", left.Kind, row => value(left.Value(row), right.Value(row)), left.HasSubquery || right.HasSubquery);

    private static RandomExpression Case(RandomExpression condition, RandomExpression then, RandomExpression other) => new(
        $"CASE WHEN {condition.Sql} THEN {then.Sql} ELSE {other.Sql} END", then.Kind, row => condition.IsTrue(row) ? then.Value(row) : other.Value(row),
        condition.HasSubquery || then.HasSubquery || other.HasSubquery);

    private RandomExpression Comparison(IReadOnlyList<RandomColumn> columns, int depth)
    {
        var kind = (RandomKind)random.Next(random.Next(4) == 0 ? 3 : 2);
        var left = Any(columns, kind, depth - 1);
        var right = Any(columns, kind, depth - 1);
        string[] signs = ["=", "=", "=", "<>", "<", "<=", ">", ">=", "<=>"];
        var sign = signs[random.Next(signs.Length)];
        return Both(sign, left, right, (a, b) =>
        {
            if (sign == "<=>") return Equals(a, b);
            if (a is null || b is null) return null;
            var order = Compare(a, b);
            return sign switch { "=" => order == 0, "<>" => order != 0, "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
        });
    }

    private RandomExpression InList(IReadOnlyList<RandomColumn> columns)
    {
        var value = Number(columns, 1);
        var list = Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(8) == 0 ? (long?)null : random.Next(0, 5)).ToList();
        var isNot = random.Next(2) == 0;
        var text = string.Join(", ", list.Select(item => item?.ToString(CultureInfo.InvariantCulture) ?? "NULL"));
        return new RandomExpression($"({value.Sql} {(isNot ? "NOT " : "")}IN ({text}))", RandomKind.Truth, row =>
        {
            if (value.Value(row) is not long number) return null;
            if (list.Contains(number)) return !isNot;
            return list.Contains(null) ? null : isNot;
        }, value.HasSubquery);
    }

    private RandomExpression Between(IReadOnlyList<RandomColumn> columns)
    {
        var value = Number(columns, 1);
        var (low, high) = (random.Next(0, 3), random.Next(1, 5));
        return new RandomExpression(
            $"({value.Sql} BETWEEN {low} AND {high})", RandomKind.Truth, row => value.Value(row) is long number ? number >= low && number <= high : null, value.HasSubquery);
    }

    private RandomExpression Like(IReadOnlyList<RandomColumn> columns)
    {
        var value = Text(columns, 1);
        return random.Next(3) switch
        {
            0 => new RandomExpression($"({value.Sql} LIKE 'a%')", RandomKind.Truth, row => value.Value(row) is string text ? text.StartsWith('a') : null, value.HasSubquery),
            1 => new RandomExpression($"({value.Sql} LIKE '_b%')", RandomKind.Truth, row => value.Value(row) is string text ? text.Length > 1 && text[1] == 'b' : null, value.HasSubquery),
            _ => new RandomExpression($"({value.Sql} LIKE '%t%')", RandomKind.Truth, row => value.Value(row) is string text ? text.Contains('t') : null, value.HasSubquery),
        };
    }
}
