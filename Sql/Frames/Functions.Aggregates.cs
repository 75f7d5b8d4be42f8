namespace Dataflow.Sql;

public static partial class Functions
{
    /// <summary>The sum of the values that are not null. (<c>sum</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Sum(Column column) => Call("sum", column);

    /// <inheritdoc cref="Sum(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Sum(string column) => Sum(Col(column));

    /// <summary>The average of the values that are not null. (<c>avg</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Avg(Column column) => Call("avg", column);

    /// <inheritdoc cref="Avg(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Avg(string column) => Avg(Col(column));

    /// <summary>The smallest value. (<c>min</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Min(Column column) => Call("min", column);

    /// <inheritdoc cref="Min(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Min(string column) => Min(Col(column));

    /// <summary>The largest value. (<c>max</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Max(Column column) => Call("max", column);

    /// <inheritdoc cref="Max(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Max(string column) => Max(Col(column));

    /// <summary>Some value of the group. (<c>any_value</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column AnyValue(Column column) => Call("any_value", column);

    /// <inheritdoc cref="AnyValue(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column AnyValue(string column) => AnyValue(Col(column));

    /// <summary>The first value of the group, in no order that is promised. (<c>first</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column First(Column column) => Call("first", column);

    /// <inheritdoc cref="First(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column First(string column) => First(Col(column));

    /// <summary>The last value of the group, in no order that is promised. (<c>last</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Last(Column column) => Call("last", column);

    /// <inheritdoc cref="Last(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Last(string column) => Last(Col(column));

    /// <summary>The sample standard deviation. (<c>stddev</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column StandardDeviation(Column column) => Call("stddev", column);

    /// <inheritdoc cref="StandardDeviation(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column StandardDeviation(string column) => StandardDeviation(Col(column));

    /// <summary>The population standard deviation. (<c>stddev_pop</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column StandardDeviationOfAll(Column column) => Call("stddev_pop", column);

    /// <inheritdoc cref="StandardDeviationOfAll(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column StandardDeviationOfAll(string column) => StandardDeviationOfAll(Col(column));

    /// <summary>The sample variance. (<c>variance</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Variance(Column column) => Call("variance", column);

    /// <inheritdoc cref="Variance(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Variance(string column) => Variance(Col(column));

    /// <summary>The population variance. (<c>var_pop</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column VarianceOfAll(Column column) => Call("var_pop", column);

    /// <inheritdoc cref="VarianceOfAll(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column VarianceOfAll(string column) => VarianceOfAll(Col(column));

    /// <summary>How many rows a condition is true for. (<c>count_if</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column CountIf(Column column) => Call("count_if", column);

    /// <inheritdoc cref="CountIf(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column CountIf(string column) => CountIf(Col(column));

    /// <summary>Whether a condition is true for all rows. (<c>bool_and</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column All(Column column) => Call("bool_and", column);

    /// <inheritdoc cref="All(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column All(string column) => All(Col(column));

    /// <summary>Whether a condition is true for some row. (<c>bool_or</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Any(Column column) => Call("bool_or", column);

    /// <inheritdoc cref="Any(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Any(string column) => Any(Col(column));

    /// <summary>The middle value. (<c>median</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Median(Column column) => Call("median", column);

    /// <inheritdoc cref="Median(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Median(string column) => Median(Col(column));

    /// <summary>The most frequent value. (<c>mode</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Mode(Column column) => Call("mode", column);

    /// <inheritdoc cref="Mode(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Mode(string column) => Mode(Col(column));

    /// <summary>About how many values differ. (<c>approx_count_distinct</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column ApproximateCountDistinct(Column column) => Call("approx_count_distinct", column);

    /// <inheritdoc cref="ApproximateCountDistinct(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column ApproximateCountDistinct(string column) => ApproximateCountDistinct(Col(column));

    /// <summary>1 where a key of ROLLUP or CUBE is left out of the group, else 0. (<c>grouping</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Grouping(Column column) => Call("grouping", column);

    /// <inheritdoc cref="Grouping(Column)"/>
    /// <param name="column">The column's name.</param>
    public static Column Grouping(string column) => Grouping(Col(column));
}
