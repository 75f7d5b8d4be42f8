using Dataflow.MLlib.Data;

namespace Dataflow.MLlib;

/// <summary>Puts numbers and vectors of a row into one vector, in order.</summary>
/// <remarks>Transform is lazy and costs about a nanosecond an element. A vector is stored sparse where that is smaller. Learners take several columns by
/// themselves (<c>FeatureColumns</c>), so this is needed only where one column is wanted.</remarks>
public sealed record VectorAssembler : Transformer
{
    /// <summary>Columns that are put together: numbers, booleans and vectors.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>The column that is added.</summary>
    public string OutputColumn { get; init => field = Check.Name(value); } = "features";

    /// <summary>What becomes of rows in which a value is null or NaN.</summary>
    public InvalidValues HandleInvalid { get; init => field = Check.Defined(value); } = InvalidValues.Error;

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var columns = FeatureColumns.Of(frame, InputColumns, nameof(VectorAssembler));
        if (HandleInvalid == InvalidValues.Skip)
        {
            foreach (var name in InputColumns) frame = frame.Where(frame[name].IsNotNull());
        }
        return frame.WithColumn(OutputColumn, new Assembly(HandleInvalid == InvalidValues.Error, [.. InputColumns]).Of(frame, columns));
    }

    private sealed class Assembly(bool refusesMissing, string[] names) : RowScorer("vector_assembler")
    {
        public override int Width => -1;

        public override bool GivesVector => true;

        public override bool Compresses => true;

        public override int OutputWidth(int width) => width;

        public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output)
        {
            rows.CopyTo(output);
            if (!refusesMissing) return;
            foreach (var value in rows)
            {
                if (!double.IsNaN(value)) continue;
                throw new QueryException("INVALID_FEATURE", $"VectorAssembler met null or NaN in one of the columns {string.Join(", ", names)}. "
                    + $"Fill it with Imputer, or set HandleInvalid to {nameof(InvalidValues.Keep)} (NaN) or {nameof(InvalidValues.Skip)} (leave such rows out).");
            }
        }
    }
}

/// <summary>What becomes of rows whose values a step can't take.</summary>
public enum InvalidValues
{
    /// <summary>The query fails and says which value.</summary>
    Error,

    /// <summary>Such rows are left out.</summary>
    Skip,

    /// <summary>They are kept: as NaN, or in a category of their own.</summary>
    Keep,
}
