using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Streaming.State;

/// <summary>What the state of an operator is, so that it can be read without the query. Stands in the checkpoint.</summary>
/// <param name="Kind">What it does: one of the names below.</param>
/// <param name="Sides">What is kept: of a join of the left and of the right, of others one thing.</param>
internal sealed record StateDescription(string Kind, StateSide[] Sides)
{
    public const string OfAggregate = "aggregate";
    public const string OfDistinct = "distinct";
    public const string OfJoin = "join";
    public const string OfSessions = "sessions";
    public const string OfGroups = "groups";

    /// <summary>Whether all is in one partition, as nothing tells rows apart.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsSingle => Sides[0].Keys.Length == 0;

    /// <summary>The aggregates whose states are the last of the values; none where there are none.</summary>
    public AggregateDescription[] Aggregates { get; init; } = [];

    /// <summary>What keeps a query from going on with the state of another, beside types; null if nothing does.</summary>
    public static string? Difference(StateDescription there, StateDescription now)
    {
        if (there.Kind != now.Kind || there.Sides.Length != now.Sides.Length) return $"state was of {there.Kind}, and is now of {now.Kind}";
        for (var i = 0; i < there.Sides.Length; i++)
        {
            if (Differs(there.Sides[i].Keys, now.Sides[i].Keys)) return $"{there.Kind} was by ({Show(there.Sides[i].Keys)}), and is now by ({Show(now.Sides[i].Keys)})";
        }
        foreach (var (before, after) in there.Aggregates.Zip(now.Aggregates))
        {
            if (before.Of != after.Of && before.Of is not null && after.Of is not null)
                return $"'{after.Name}' was {before.Function}({before.Of}), and is now {after.Function}({after.Of})";
        }
        return null;

        // Names of joins' keys are those of columns that come in; others may be called anything.
        bool Differs(StateColumn[] before, StateColumn[] after) => before.Length != after.Length
            || before.Zip(after).Any(pair => pair.First.Type != pair.Second.Type || pair.First.Of != pair.Second.Of || (there.Kind == OfJoin && pair.First.Name != pair.Second.Name));

        static string Show(StateColumn[] columns) => string.Join(", ", columns.Select(column => $"{column.Text} {column.Type}"));
    }
}

/// <summary>One table of a state.</summary>
/// <param name="Keys">What rows are found by, and placed in partitions by.</param>
/// <param name="Values">The other columns.</param>
internal sealed record StateSide(StateColumn[] Keys, StateColumn[] Values)
{
    /// <summary>Types of the keys.</summary>
    public ValueList<DataType> KeyTypes() => [.. Keys.Select(key => key.TypeOf())];

    /// <summary>Types of all columns, the keys first.</summary>
    public ValueList<DataType> Types() => [.. Keys.Concat(Values).Select(column => column.TypeOf())];

    /// <summary>As a table keeps it. Rows that are read from files are of the spans that these name.</summary>
    public StateLayout Layout() => new(KeyTypes(), [.. Values.Select(value => value.TypeOf())], -1, 1);
}

/// <summary>A column of a state.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, as SQL.</param>
internal sealed record StateColumn(string Name, string Type)
{
    private static readonly DataType[] Simple =
    [
        DataType.Null, DataType.Boolean, DataType.TinyInt, DataType.SmallInt, DataType.Int, DataType.BigInt, DataType.Float, DataType.Double, DataType.String, DataType.Binary,
        DataType.Date, DataType.Timestamp, DataType.TimestampNtz, DataType.YearMonthInterval, DataType.DayTimeInterval, DataType.Vector,
    ];

    /// <summary>What it is computed as, where that is more than a column: a window with its length.</summary>
    public string? Of { get; init; }

    /// <summary>What it is, for people.</summary>
    public string Text => Of ?? Name;

    public static StateColumn Make(string name, DataType type) => new(name, type.SqlName);

    /// <summary>The column of a key.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="key">How it is computed.</param>
    public static StateColumn OfKey(string name, Expression key) => Make(name, key.Type) with
    {
        // Columns inside have names that the plan chose: only what was written counts.
        Of = key is Call call && call.Arguments.Any(argument => argument is Literal)
            ? $"{call.Function.Name}({string.Join(", ", call.Arguments.Select(argument => argument is Literal literal ? literal.ToString() : argument.Type.ToString()))})"
            : null,
    };

    /// <summary>The type.</summary>
    public DataType TypeOf() => Array.Find(Simple, type => type.SqlName == Type) ?? Parser.ParseType(Type);
}

/// <summary>An aggregate whose states are kept.</summary>
/// <param name="Name">The column that it makes.</param>
/// <param name="Function">The function's name.</param>
/// <param name="Arguments">Types of its arguments.</param>
/// <param name="Result">The type of its value.</param>
/// <param name="States">How many columns its states take.</param>
/// <param name="HasConstants">Whether its value follows from constants too, which the state does not have.</param>
internal sealed record AggregateDescription(string Name, string Function, string[] Arguments, string Result, int States, bool HasConstants)
{
    /// <summary>The columns that it is of; null where it is of something else.</summary>
    public string? Of { get; init; }

    public static AggregateDescription Make(NamedExpression item, StateNames names)
    {
        var call = (AggregateCall)item.Value;
        return new(names.Of(item.Column), call.Function.Name, [.. call.Arguments.Select(argument => argument.Type.SqlName)], call.Type.SqlName, call.Function.StateTypes(call).Count,
            call.Arguments.Skip(1).Any(argument => argument is Literal))
        {
            Of = call.Arguments.All(argument => argument is ColumnReference) ? string.Join(", ", call.Arguments.Select(argument => ((ColumnReference)argument).Name)) : null,
        };
    }

    /// <summary>The columns of aggregates' states: <c>NAME.0</c>, <c>NAME.1</c>.</summary>
    public static IEnumerable<StateColumn> StatesOf(IEnumerable<NamedExpression> items, StateNames names) => items.SelectMany(item =>
    {
        var call = (AggregateCall)item.Value;
        return call.Function.StateTypes(call).Select((type, i) => StateColumn.Make($"{names.Of(item.Column)}.{i}", type));
    });
}

/// <summary>What a query calls the columns that operators with state give.</summary>
internal sealed class StateNames
{
    private readonly Dictionary<ColumnId, ColumnReference> _next = [];

    /// <param name="plan">The query.</param>
    public StateNames(LogicalPlan plan)
    {
        foreach (var item in plan.Parts().OfType<Project>().SelectMany(project => project.Items))
        {
            if (item.Value is ColumnReference column && column.Id != item.Column.Id) _next.TryAdd(column.Id, item.Column);
        }
    }

    /// <summary>The last name that a column gets.</summary>
    public string Of(ColumnReference column)
    {
        while (_next.TryGetValue(column.Id, out var next)) column = next;
        return column.Name;
    }
}
