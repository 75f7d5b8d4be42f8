using Dataflow.MLlib.Features;

namespace Dataflow.MLlib;

/// <summary>Numbers the texts of columns: 0 for the most frequent, 1 for the next, and so on.</summary>
/// <remarks>Fit reads the rows once for all columns, and shuffles at most (distinct texts x partitions) pairs; the labels are kept in this process: about 60 bytes
/// and the text each. Null is counted nowhere. The result does not depend on partitions. Columns that are no text are cast to it first.</remarks>
public sealed record StringIndexer : Estimator<StringIndexerModel>
{
    /// <summary>Columns to number.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>Columns of numbers that the model adds, one for each input; empty gives the inputs' names with <c>_index</c>.</summary>
    public ValueList<string> OutputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>In which order texts are numbered.</summary>
    public StringOrder Order { get; init => field = Check.Defined(value); } = StringOrder.FrequencyDescending;

    /// <summary>What becomes of null and of texts that were not there to learn from: an error, the row left out, or the number after the last label.</summary>
    public InvalidValues HandleInvalid { get; init => field = Check.Defined(value); } = InvalidValues.Error;

    /// <inheritdoc/>
    protected override async Task<StringIndexerModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ColumnPairs.Outputs(InputColumns, OutputColumns, StringIndexerModel.Ending, nameof(StringIndexer));
        var counts = await TextTally.CountAsync(frame, InputColumns, cancellationToken).ConfigureAwait(false);
        return new StringIndexerModel([.. counts.Select(Ordered)]) { InputColumns = InputColumns, OutputColumns = OutputColumns, HandleInvalid = HandleInvalid };
    }

    // Equally frequent texts are numbered in alphabetical order, whichever of both orders of frequency it is (as Spark does since 3.0).
    private ValueList<string> Ordered(List<(string Text, long Count)> counts)
    {
        counts.Sort((left, right) =>
        {
            var byText = string.CompareOrdinal(left.Text, right.Text);
            return Order switch
            {
                StringOrder.AlphabetAscending => byText,
                StringOrder.AlphabetDescending => -byText,
                StringOrder.FrequencyAscending => left.Count != right.Count ? left.Count.CompareTo(right.Count) : byText,
                _ => left.Count != right.Count ? right.Count.CompareTo(left.Count) : byText,
            };
        });
        return [.. counts.Select(pair => pair.Text)];
    }
}

/// <summary>In which order a <see cref="StringIndexer"/> numbers texts.</summary>
public enum StringOrder
{
    /// <summary>The most frequent first; equally frequent ones by alphabet.</summary>
    FrequencyDescending,

    /// <summary>The rarest first; equally frequent ones by alphabet.</summary>
    FrequencyAscending,

    /// <summary>By code units of UTF-16, the smallest first.</summary>
    AlphabetAscending,

    /// <summary>By code units of UTF-16, the largest first.</summary>
    AlphabetDescending,
}
