using Dataflow.MLlib.Data;
using Dataflow.MLlib.Features;

namespace Dataflow.MLlib;

/// <summary>Puts numbers and vectors of a row into one vector, in order.</summary>
/// <remarks>Transform is lazy and costs some nanoseconds an element that is not zero: sparse parts are never made dense. The result is stored sparse where that is
/// smaller. Learners take several columns by themselves (<c>FeatureColumns</c>), so this is needed only where one column is wanted.</remarks>
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
        var assembled = ColumnPairs.Add(frame, nameof(VectorAssembler), (OutputColumn, Functions.Call(new AssembleFunction(columns, HandleInvalid), columns.In(frame))));
        return HandleInvalid == InvalidValues.Skip ? assembled.Where(assembled[OutputColumn].IsNotNull()) : assembled;
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
