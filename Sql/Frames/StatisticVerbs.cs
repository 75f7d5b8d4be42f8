namespace Dataflow.Sql;

/// <summary>Figures of a frame's columns: <c>frame.Stat.Corr("a", "b")</c>. Each is an action: one pass over the rows.</summary>
public sealed class StatisticVerbs
{
    private readonly DataFrame _frame;

    internal StatisticVerbs(DataFrame frame) => _frame = frame;

    /// <summary>Pearson's correlation of two columns; null if one does not vary, or there are fewer than two rows that have both.</summary>
    /// <param name="first">A column of numbers.</param>
    /// <param name="second">Another.</param>
    public double? Corr(string first, string second) => (double?)One(Functions.Call("corr", _frame[first], _frame[second]));

    /// <summary>The covariance of two columns, of a sample; null of fewer than two rows that have both.</summary>
    /// <param name="first">A column of numbers.</param>
    /// <param name="second">Another.</param>
    public double? Cov(string first, string second) => (double?)One(Functions.Call("covar_samp", _frame[first], _frame[second]));

    /// <summary>Values up to which shares of a column's values lie; exact, whatever the name says, and kept in memory for it.</summary>
    /// <param name="column">A column of numbers; nulls are passed over.</param>
    /// <param name="shares">The shares, each from 0 to 1.</param>
    /// <returns>A value for each share; none if the column has none.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A share is not from 0 to 1.</exception>
    public IReadOnlyList<double> ApproxQuantile(string column, params double[] shares)
    {
        ArgumentNullException.ThrowIfNull(shares);
        foreach (var share in shares)
        {
            if (share is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(shares), share, "A share is from 0 to 1.");
        }
        if (shares.Length == 0) return [];
        var values = _frame.Agg([.. shares.Select(share => Functions.Call("percentile_disc", _frame[column], Functions.Lit(share)))]).Collect()[0];
        return values[0] is null ? [] : [.. values.Select(value => (double)value!)];
    }

    /// <summary>How often each pair of values of two columns comes: a row for each value of the first, a column for each of the second.</summary>
    /// <param name="first">A column; the frame's first column has its values as text.</param>
    /// <param name="second">A column of at most 10,000 values.</param>
    public DataFrame Crosstab(string first, string second)
    {
        var name = $"{first}_{second}";
        var pairs = _frame.Select(_frame[first].Cast(DataType.String).As(name), _frame[second].Cast(DataType.String).As("column"));
        return pairs.GroupBy(name).Pivot("column").Count().Na.Fill(0L);
    }

    private object? One(Column aggregate) => _frame.Agg(aggregate).Collect()[0][0];
}

public sealed partial class DataFrame
{
    /// <summary>Figures of columns: correlations, quantiles, tables of pairs.</summary>
    public StatisticVerbs Stat => new(this);
}
