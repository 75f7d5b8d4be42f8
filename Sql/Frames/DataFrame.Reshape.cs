using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql;

public sealed partial class DataFrame
{
    /// <summary>Makes rows of columns: each row once for each of some columns, with the column's name and its value. Nulls are kept.</summary>
    /// <remarks>Lazy, narrow.</remarks>
    /// <param name="keys">Names of the columns that go along.</param>
    /// <param name="columns">Names of the columns that become rows; none for all others. Their types go together.</param>
    /// <param name="nameColumn">What the column of the names is called.</param>
    /// <param name="valueColumn">What the column of the values is called.</param>
    /// <exception cref="QueryException">There is no such column, or the types do not go together.</exception>
    public DataFrame Unpivot(string[] keys, string[] columns, string nameColumn = "variable", string valueColumn = "value")
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Length == 0) columns = [.. Columns.Except(keys, StringComparer.OrdinalIgnoreCase)];
        if (columns.Length == 0) throw new ArgumentException("Unpivot needs a column to make rows of.", nameof(columns));
        return With(new SelectSyntax([AllColumns])
        {
            From = new UnpivotSyntax(Source, true, nameColumn, [valueColumn], [.. columns.Select(name => new PivotValueSyntax([this[name].Syntax], Schema[Schema.IndexOf(name)].Name))])
            {
                Keys = [.. keys.Select(name => this[name].Syntax)],
            },
        });
    }

    /// <summary>Makes a row of each part of a text: <c>lines.SplitRows("line", " ", "word")</c>. The other columns go along with each part, which stands behind them in place of the text.</summary>
    /// <remarks>Lazy, narrow. Empty parts are left out, as are rows whose text is null. Parts are not copied.</remarks>
    /// <param name="column">The text.</param>
    /// <param name="separators">Characters of ASCII, each of which ends a part.</param>
    /// <param name="name">What the column of parts is called; null as the text.</param>
    /// <exception cref="QueryException">There is no such column, or it is no text.</exception>
    /// <exception cref="ArgumentException">There is no separator, or one that is not in ASCII.</exception>
    public DataFrame SplitRows(string column, string separators = " ", string? name = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(separators);
        if (!System.Text.Ascii.IsValid(separators)) throw new ArgumentException($"Separators are characters of ASCII, and '{separators}' has others.", nameof(separators));
        var at = Schema.IndexOf(column);
        if (at < 0) throw new QueryException("UNRESOLVED_COLUMN", $"SplitRows names '{column}', which the frame does not have. Its columns: {string.Join(", ", Columns)}.");
        if (Schema[at].Type.Kind != TypeKind.String) throw new QueryException("DATATYPE_MISMATCH", $"The column '{Schema[at]}' is no text, so it has no parts: cast it to string first.");
        var text = Plan.Output[at];
        return With(new SplitRows(text, separators, [.. Plan.Output.Where((_, i) => i != at)], new ColumnReference(name ?? text.Name, DataType.String, false), Plan));
    }

    /// <summary>Parts the rows at random: each row goes to one of the frames.</summary>
    /// <remarks>
    /// Lazy, narrow. Each part reads the rows again, and draws alike: if what is before it gives rows in another order each time, such as a join or an
    /// aggregate, cache it first.
    /// </remarks>
    /// <param name="weights">How large the parts are, in proportion to each other: sizes are only about that.</param>
    /// <param name="seed">Begins the random numbers.</param>
    /// <exception cref="ArgumentException">A weight is negative or no number, or all are zero.</exception>
    public IReadOnlyList<DataFrame> RandomSplit(IReadOnlyList<double> weights, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var total = weights.Sum();
        if (weights.Any(weight => !(weight >= 0)) || !(total > 0) || !double.IsFinite(total)) throw new ArgumentException("Weights are not negative, and one is more than zero.", nameof(weights));
        var parts = new DataFrame[weights.Count];
        var before = 0.0;
        for (var i = 0; i < parts.Length; i++)
        {
            var after = i == parts.Length - 1 ? 1 : before + (weights[i] / total);
            ValueList<Expression> arguments = [new Literal(after, DataType.Double), new Literal(seed, DataType.BigInt), new Literal(before, DataType.Double)];
            parts[i] = With(new Filter(new Call(SampleFunction.Instance, arguments, DataType.Boolean), Plan));
            before = after;
        }
        return parts;
    }

    /// <summary>Gives columns new names.</summary>
    /// <remarks>Lazy, free.</remarks>
    /// <param name="names">Old name and new name of each; names without a column are passed over.</param>
    public DataFrame WithColumnsRenamed(IReadOnlyDictionary<string, string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return names.Aggregate(this, (frame, each) => frame.WithColumnRenamed(each.Key, each.Value));
    }

    /// <summary>Figures of all columns that are numbers or text: a row for each figure, with the values as text.</summary>
    /// <remarks>Action: one pass over the rows.</remarks>
    /// <param name="statistics">Of <c>count</c>, <c>mean</c>, <c>stddev</c>, <c>min</c>, <c>max</c>, <c>count_distinct</c>, and shares such as <c>25%</c>; none for
    /// count, mean, stddev, min, the quartiles and max.</param>
    /// <exception cref="ArgumentException">There is no such figure.</exception>
    public DataFrame Summary(params string[] statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        if (statistics.Length == 0) statistics = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"];
        return Figures(statistics, Described());
    }

    /// <summary>Count, average, standard deviation, smallest and largest value of columns: a row for each of these, with the values as text.</summary>
    /// <remarks>Action: one pass over the rows.</remarks>
    /// <param name="columns">Names of columns; none for all numbers and texts.</param>
    public DataFrame Describe(params string[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return Figures(["count", "mean", "stddev", "min", "max"], columns.Length > 0 ? columns : Described());
    }

    private string[] Described() => [.. Schema.Where(field => field.Type.IsNumber || field.Type.Kind == TypeKind.String).Select(field => field.Name)];

    private DataFrame Figures(string[] statistics, string[] columns)
    {
        var values = columns.Length == 0 ? null : Agg([.. statistics.SelectMany(statistic => columns.Select(name => Figure(statistic, name)))]).Collect()[0];
        ValueList<ValueList<Expression>> rows =
        [
            .. statistics.Select((statistic, i) => (ValueList<Expression>)
            [
                new Literal(statistic, DataType.String),
                .. columns.Select((_, c) => new Literal(values![(i * columns.Length) + c], DataType.String)),
            ]),
        ];
        ValueList<ColumnReference> output =
            [new ColumnReference("summary", DataType.String, false), .. columns.Select(name => new ColumnReference(Schema[Schema.IndexOf(name)].Name, DataType.String, true))];
        return new DataFrame(Session, new Values(rows, output), null);
    }

    private Column Figure(string statistic, string name)
    {
        var column = this[name];
        var isShare = statistic.EndsWith('%');
        if (!Schema[Schema.IndexOf(name)].Type.IsNumber && (isShare || statistic is "mean" or "stddev")) return Functions.Lit(null).Cast(DataType.String);
        var figure = statistic switch
        {
            "count" or "min" or "max" => Functions.Call(statistic, column),
            "mean" => Functions.Call("avg", column.Cast(DataType.Double)),
            "stddev" => Functions.Call(statistic, column.Cast(DataType.Double)),
            "count_distinct" => Functions.CountDistinct(column),
            _ when isShare && double.TryParse(statistic[..^1], System.Globalization.CultureInfo.InvariantCulture, out var percent) && percent is >= 0 and <= 100 =>
                Functions.Call("approx_percentile", column, Functions.Lit(percent / 100)),
            _ => throw new ArgumentException($"There is no figure '{statistic}'. There are count, mean, stddev, min, max, count_distinct, and shares such as 25%.", nameof(statistic)),
        };
        return figure.Cast(DataType.String);
    }
}
