using Dataflow.MLlib.Data;
using Dataflow.MLlib.Features;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib;

/// <summary>Turns numbers of categories (0, 1, 2 ...) into sparse vectors that are 1 at the place of the category and 0 elsewhere.</summary>
/// <remarks>Fit reads the rows once, to find the largest number of each column. A vector takes 17 bytes, whatever the number of categories. Boosted trees and forests take
/// the numbers themselves and are faster and better with them; linear models and distances need this.</remarks>
public sealed record OneHotEncoder : Estimator<OneHotEncoderModel>
{
    /// <summary>Columns of numbers, such as <see cref="StringIndexer"/> makes.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>Columns of vectors that the model adds, one for each input; empty gives the inputs' names with <c>_vector</c>.</summary>
    public ValueList<string> OutputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>Whether the last category has no place of its own and is all zeros: otherwise the places add up to 1, and linear models have no unique solution.</summary>
    public bool DropLast { get; init; } = true;

    /// <summary>What becomes of null and of numbers above those that were there to learn from: an error, or (Keep) one more category behind the others.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Rows can't be left out here: it is <see cref="InvalidValues.Skip"/>.</exception>
    public InvalidValues HandleInvalid { get; init => field = OneHotEncoderModel.ErrorOrKeep(value); } = InvalidValues.Error;

    /// <inheritdoc/>
    protected override async Task<OneHotEncoderModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ColumnPairs.Outputs(InputColumns, OutputColumns, OneHotEncoderModel.Ending, nameof(OneHotEncoder));
        var columns = FeatureColumns.Of(frame, InputColumns, nameof(OneHotEncoder));
        if (columns.KnownWidth < 0)
            throw new QueryException("DATATYPE_MISMATCH",
                $"{nameof(OneHotEncoder)} takes columns of numbers, and one of {string.Join(", ", InputColumns)} is a vector.");
        var keeps = HandleInvalid == InvalidValues.Keep;
        var parts = await columns.Select(frame, nameof(OneHotEncoder)).MapBatches(batches => Largest(batches, columns, keeps)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var sizes = new int[columns.Count];
        foreach (var part in parts)
        {
            for (var i = 0; i < sizes.Length; i++) sizes[i] = Math.Max(sizes[i], part[i]);
        }
        if (Array.IndexOf(sizes, 0) is var empty and >= 0)
            throw new QueryException("EMPTY_INPUT", $"Column '{InputColumns[empty]}' has no value, so {nameof(OneHotEncoder)} can't know its categories.");
        return new OneHotEncoderModel(new ValueList<int>(sizes)) { InputColumns = InputColumns, OutputColumns = OutputColumns, DropLast = DropLast, HandleInvalid = HandleInvalid };
    }

    private static IEnumerable<int[]> Largest(IEnumerable<ColumnBatch> batches, FeatureColumns columns, bool keeps)
    {
        var sizes = new int[columns.Count];
        foreach (var part in FeatureParts.Read(batches, columns, nameof(OneHotEncoder)))
        {
            for (var row = 0; row < part.Rows; row++)
            {
                var values = part[row];
                for (var i = 0; i < values.Length; i++)
                {
                    var value = values[i];
                    if (double.IsNaN(value) && keeps) continue;
                    if (!(value >= 0 && value < int.MaxValue - 1 && value == Math.Truncate(value))) throw OneHotEncoderModel.NoCategory(columns.Names[i], value, -1);
                    if (value >= sizes[i]) sizes[i] = (int)value + 1;
                }
            }
        }
        yield return sizes;
    }
}

/// <summary>What a <see cref="OneHotEncoder"/> learned: how many categories each column has.</summary>
/// <remarks>Transform is lazy, about 10 ns a value.</remarks>
public sealed record OneHotEncoderModel : Transformer
{
    internal const string Ending = "_vector";

    /// <summary>A model of columns whose categories are known.</summary>
    /// <param name="categorySizes">How many categories each column has.</param>
    public OneHotEncoderModel(ValueList<int> categorySizes)
    {
        ArgumentNullException.ThrowIfNull(categorySizes);
        foreach (var size in categorySizes)
        {
            // One more category may be kept behind them, and vectors have at most 2^31 - 1 elements.
            if (size is < 1 or int.MaxValue)
                throw new ArgumentOutOfRangeException(nameof(categorySizes), size, $"A column must have from 1 to {int.MaxValue - 1} categories.");
        }
        CategorySizes = categorySizes;
    }

    internal OneHotEncoderModel(ModelFolder folder) : this(new ValueList<int>(folder.Get<int[]>("categorySizes"))) { }

    /// <inheritdoc cref="OneHotEncoder.InputColumns"/>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <inheritdoc cref="OneHotEncoder.OutputColumns"/>
    public ValueList<string> OutputColumns { get; init => field = Check.Names(value); } = [];

    /// <inheritdoc cref="OneHotEncoder.DropLast"/>
    public bool DropLast { get; init; } = true;

    /// <inheritdoc cref="OneHotEncoder.HandleInvalid"/>
    public InvalidValues HandleInvalid { get; init => field = ErrorOrKeep(value); } = InvalidValues.Error;

    /// <summary>How many categories each column has.</summary>
    public ValueList<int> CategorySizes { get; }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var outputs = ColumnPairs.Outputs(InputColumns, OutputColumns, Ending, nameof(OneHotEncoder));
        if (outputs.Length != CategorySizes.Count)
            throw new ArgumentException($"The model knows {CategorySizes.Count} columns, and has {outputs.Length} InputColumns.");
        _ = FeatureColumns.Of(frame, InputColumns, nameof(OneHotEncoder));
        return ColumnPairs.Add(frame, nameof(OneHotEncoderModel), [.. outputs.Select((name, i) =>
            (name, Functions.Call(new OneHot(CategorySizes[i], InputColumns[i], DropLast, HandleInvalid == InvalidValues.Keep), frame[InputColumns[i]].Cast(DataType.Double))))]);
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder) => folder.Set("categorySizes", CategorySizes.ToArray());

    internal static InvalidValues ErrorOrKeep(InvalidValues value) => value is InvalidValues.Error or InvalidValues.Keep ? value
        : throw new ArgumentOutOfRangeException(nameof(HandleInvalid), value, $"{nameof(OneHotEncoder)} can't leave rows out. Use Error or Keep, or filter before.");

    internal static QueryException NoCategory(string column, double value, int size) => new("INVALID_CATEGORY", double.IsNaN(value)
        ? $"Column '{column}' holds null or NaN, which is no category. Set HandleInvalid of {nameof(OneHotEncoder)} to Keep, or fill it before."
        : size >= 0 && value >= size && value == Math.Truncate(value)
            ? $"Column '{column}' holds category {value}, and only 0 to {size - 1} were there to learn from. Set HandleInvalid of {nameof(OneHotEncoder)} to Keep, or learn from more rows."
            : $"Column '{column}' holds {value}, and {nameof(OneHotEncoder)} needs whole numbers of 0 or more. Number the categories with {nameof(StringIndexer)}.");

    private sealed class OneHot(int size, string column, bool dropLast, bool keeps) : StepFunction("one_hot", DataType.Vector)
    {
        /// <summary>Elements of the vectors.</summary>
        public int Width { get; } = size + (keeps ? 1 : 0) - (dropLast ? 1 : 0);

        /// <summary>The place that is 1; <see cref="Width"/> or more if none is.</summary>
        public int PlaceOf(double value)
        {
            if (value >= 0 && value < size && value == Math.Truncate(value)) return (int)value;
            if (keeps && (double.IsNaN(value) || value >= size)) return size;
            throw NoCategory(column, value, size);
        }

        public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new OneHotEvaluator(this, arguments[0], context);
    }

    private sealed unsafe class OneHotEvaluator(OneHot function, Evaluator argument, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.Vector);
        private readonly TextHeap _heap = new(context.Arena);

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            var column = argument.Evaluate(batch);
            _heap.Clear();
            new Span<byte>(_result.Data, batch.Rows * sizeof(StringView)).Clear();
            foreach (var row in batch.Selection)
            {
                var place = function.PlaceOf(column.IsNull(row) ? double.NaN : column.Value<double>(row));
                ((StringView*)_result.Data)[row] = place < function.Width
                    ? VectorWriter.WriteSparse(_heap, function.Width, [place], [1.0])
                    : VectorWriter.WriteSparse(_heap, function.Width, [], []);
            }
            return _result.Set(batch.Rows, false);
        }
    }
}
