using Dataflow.MLlib.Data;
using Dataflow.MLlib.Features;
using Dataflow.MLlib.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.MLlib;

/// <summary>Fills what is missing in columns with their mean, median or most frequent value.</summary>
/// <remarks>Fit: mean and exact median for all columns at once (one pass; the median of large data three, see <see cref="QuantileDiscretizer"/>), the most frequent value
/// by one aggregation a column. Null and NaN are always missing. Results do not depend on partitions: the sums are exact. Trees learn from missing values as they are;
/// linear models and distances need them filled.</remarks>
public sealed record Imputer : Estimator<ImputerModel>
{
    /// <summary>Columns to fill: numbers, or texts with <see cref="ImputerStrategy.MostFrequent"/>.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>Columns that the model adds, one for each input; empty fills the inputs in their places.</summary>
    public ValueList<string> OutputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>What is put in.</summary>
    public ImputerStrategy Strategy { get; init => field = Check.Defined(value); } = ImputerStrategy.Mean;

    /// <summary>A number that means missing, beside null and NaN.</summary>
    public double MissingValue { get; init; } = double.NaN;

    /// <summary>A text that means missing, beside null: <c>"?"</c>; null for none.</summary>
    public string? MissingText { get; init; }

    /// <inheritdoc/>
    protected override async Task<ImputerModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (OutputColumns.Count > 0) ColumnPairs.Outputs(InputColumns, OutputColumns, "", nameof(Imputer));
        if (InputColumns.Count == 0) throw new ArgumentException($"{nameof(Imputer)} has no columns. Name them in InputColumns.");
        var values = Strategy == ImputerStrategy.MostFrequent
            ? await Task.WhenAll(InputColumns.Select(name => MostFrequentAsync(frame, name, cancellationToken))).ConfigureAwait(false)
            : [.. (await NumbersAsync(frame, cancellationToken).ConfigureAwait(false)).Select(number => (number, (string?)null))];
        for (var i = 0; i < values.Length; i++)
        {
            if (double.IsNaN(values[i].Number) && values[i].Text is null)
                throw new QueryException("EMPTY_INPUT",
                    $"Column '{InputColumns[i]}' has no value that is not missing, so {nameof(Imputer)} can't fill it. Leave it out.");
        }
        return new ImputerModel([.. values.Select(value => value.Number)], [.. values.Select(value => value.Text)])
        {
            InputColumns = InputColumns,
            OutputColumns = OutputColumns,
            MissingValue = MissingValue,
            MissingText = MissingText,
        };
    }

    private async Task<double[]> NumbersAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        var names = Enumerable.Range(0, InputColumns.Count).Select(i => $"n{i}").ToArray();
        _ = FeatureColumns.Of(frame, InputColumns, nameof(Imputer));
        var present = frame.Select([.. InputColumns.Select((name, i) => ImputerModel.NullIfMissing(frame, name, MissingValue, MissingText).As(names[i]))]);
        var columns = FeatureColumns.Of(present, names, nameof(Imputer));
        if (columns.KnownWidth < 0)
            throw new QueryException("DATATYPE_MISMATCH",
                $"{nameof(Imputer)} fills numbers and texts, and one of {string.Join(", ", InputColumns)} is a vector. Fill the columns before they are assembled.");
        if (Strategy == ImputerStrategy.Median)
            return [.. (await Quantiles.OfAsync(present, columns, [0.5], nameof(Imputer), cancellationToken).ConfigureAwait(false)) is { Length: > 0 } found ? found.Select(each => each[0]) : names.Select(_ => double.NaN)];

        var sums = await columns.Select(present, nameof(Imputer)).MapBatches(batches => Sum(batches, columns)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var totals = ExactSums.Merge(names.Length, sums.Select(part => part.Sums));
        var means = new double[names.Length];
        for (var i = 0; i < means.Length; i++)
        {
            var count = sums.Sum(part => part.Counts[i]);
            means[i] = count == 0 ? double.NaN : totals[i].Value / count;
            if (!double.IsFinite(means[i]) && count > 0)
                throw new QueryException("INVALID_FEATURE",
                    $"Column '{InputColumns[i]}' holds infinite numbers, or such large ones that their sum is infinite, so it has no mean. "
                    + "Filter such rows, or use the median.");
        }
        return means;
    }

    private static IEnumerable<ColumnSums> Sum(IEnumerable<ColumnBatch> batches, FeatureColumns columns)
    {
        var sums = ExactSums.New(columns.Count);
        var counts = new long[sums.Length];
        foreach (var part in FeatureParts.Read(batches, columns, nameof(Imputer)))
        {
            for (var row = 0; row < part.Rows; row++)
            {
                var values = part[row];
                for (var i = 0; i < values.Length; i++)
                {
                    if (double.IsNaN(values[i])) continue;
                    sums[i].Add(values[i]);
                    counts[i]++;
                }
            }
        }
        yield return new ColumnSums(ExactSums.StatesOf(sums), counts);
    }

    // Of several values that come equally often, the smallest.
    private async Task<(double Number, string? Text)> MostFrequentAsync(DataFrame frame, string name, CancellationToken cancellationToken)
    {
        var present = frame.Select(ImputerModel.NullIfMissing(frame, name, MissingValue, MissingText).As("value"));
        var counted = present.Where(present["value"].IsNotNull()).GroupBy("value").Count();
        var best = await counted.OrderBy(counted["count"].Desc(), counted["value"].Asc()).Limit(1).CollectAsync(cancellationToken).ConfigureAwait(false);
        return best.Count == 0 ? (double.NaN, null) : best[0][0] is string text ? (double.NaN, text) : ((double)best[0][0]!, null);
    }

    private sealed record ColumnSums(long[] Sums, long[] Counts);
}

/// <summary>What an <see cref="Imputer"/> puts in.</summary>
public enum ImputerStrategy
{
    /// <summary>The mean of the values that are there.</summary>
    Mean,

    /// <summary>The middle value; the mean of both middle values of an even number.</summary>
    Median,

    /// <summary>The value that comes most often; of several such, the smallest. For texts too.</summary>
    MostFrequent,
}

/// <summary>What an <see cref="Imputer"/> learned.</summary>
/// <remarks>Transform is lazy: part of the query, about a nanosecond a value. Numbers that are filled become doubles.</remarks>
public sealed record ImputerModel : Transformer
{
    private readonly double[] _numbers;
    private readonly string?[] _texts;

    internal ImputerModel(double[] numbers, string?[] texts)
    {
        _numbers = numbers;
        _texts = texts;
    }

    internal ImputerModel(ModelFolder folder) : this(folder.Get<double[]>("numbers"), folder.Get<string?[]>("texts")) { }

    /// <inheritdoc cref="Imputer.InputColumns"/>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <inheritdoc cref="Imputer.OutputColumns"/>
    public ValueList<string> OutputColumns { get; init => field = Check.Names(value); } = [];

    /// <inheritdoc cref="Imputer.MissingValue"/>
    public double MissingValue { get; init; } = double.NaN;

    /// <inheritdoc cref="Imputer.MissingText"/>
    public string? MissingText { get; init; }

    /// <summary>What is put in, by column: a double or a text.</summary>
    public IReadOnlyList<object> Values => [.. _numbers.Select((number, i) => (object?)_texts[i] ?? number)];

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var filled = InputColumns.Select((name, i) => Functions.Coalesce(NullIfMissing(frame, name, MissingValue, MissingText), Functions.Lit((object?)_texts[i] ?? _numbers[i]))).ToArray();
        if (OutputColumns.Count == 0) return frame.WithColumns([.. filled.Select((column, i) => (InputColumns[i], column))]);
        var outputs = ColumnPairs.Outputs(InputColumns, OutputColumns, "", nameof(Imputer));
        return ColumnPairs.Add(frame, nameof(ImputerModel), [.. filled.Select((column, i) => (outputs[i], column))]);
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        folder.Set("numbers", _numbers);
        folder.Set("texts", _texts);
    }

    /// <summary>A column with null wherever a value is missing: a double, or a text.</summary>
    internal static Column NullIfMissing(DataFrame frame, string name, double missing, string? missingText)
    {
        var column = frame[name];
        var type = frame.Schema[frame.Schema.IndexOf(name)].Type;
        if (type.Kind == TypeKind.String) return missingText is null ? column : Functions.When(column == missingText, null).Otherwise(column);
        if (!type.IsNumber && type.Kind != TypeKind.Boolean)
            throw new QueryException("DATATYPE_MISMATCH", $"Column '{name}' is {type}, and {nameof(Imputer)} fills numbers and texts. Cast it, or leave it out.");
        var number = column.Cast(DataType.Double);
        var isMissing = double.IsNaN(missing) ? number.IsNaN() : number.IsNaN() | (number == Functions.Lit(missing));
        return Functions.When(isMissing, null).Otherwise(number);
    }
}
