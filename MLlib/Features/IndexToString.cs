using System.Text;
using Dataflow.MLlib.Features;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib;

/// <summary>Gives numbers their texts back: predictions of classes become labels.</summary>
/// <remarks>Transform is lazy, about 5 ns a row. A number that is null gives null; one without a label is an error of the query.</remarks>
public sealed record IndexToString : Transformer
{
    /// <summary>The column of numbers.</summary>
    public string InputColumn { get; init => field = Check.Name(value); } = "prediction";

    /// <summary>The column of texts that is added.</summary>
    public string OutputColumn { get; init => field = Check.Name(value); } = "predictedLabel";

    /// <summary>The texts, in the order of their numbers: <see cref="StringIndexerModel.Labels"/> of a column.</summary>
    public ValueList<string> Labels { get; init => field = value ?? throw new ArgumentNullException(nameof(Labels)); } = [];

    /// <summary>The text of the number behind the last label, which <see cref="StringIndexer"/> gives to what it does not know with <see cref="InvalidValues.Keep"/>. Null makes that
    /// number an error, as others without a label.</summary>
    public string? OtherLabel { get; init; }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (Labels.Count == 0)
            throw new ArgumentException($"{nameof(IndexToString)} has no labels. Set Labels, for example to those of a {nameof(StringIndexerModel)}.");
        string[] texts = OtherLabel is { } other ? [.. Labels, other] : [.. Labels];
        return ColumnPairs.Add(frame, nameof(IndexToString), (OutputColumn, Functions.Call(new LabelOf(texts, OtherLabel is null, InputColumn), frame[InputColumn].Cast(DataType.Double))));
    }

    private sealed class LabelOf(string[] labels, bool mayHaveOther, string column) : StepFunction("index_to_string", DataType.String, nullable: true)
    {
        public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new LabelEvaluator(labels, mayHaveOther, column, arguments[0], context);
    }

    private sealed unsafe class LabelEvaluator(string[] labels, bool mayHaveOther, string name, Evaluator argument, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.String);
        private readonly TextHeap _heap = new(context.Arena);
        private readonly byte[]?[] _bytes = new byte[]?[labels.Length];

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            var column = argument.Evaluate(batch);
            _heap.Clear();
            new Span<byte>(_result.Data, batch.Rows * sizeof(StringView)).Clear();
            Bits.Zero(_result.Validity, batch.Rows);
            foreach (var row in batch.Selection)
            {
                if (column.IsNull(row)) continue;
                var number = column.Value<double>(row);
                var index = (int)number;
                if (index != number || index < 0 || index >= labels.Length)
                    throw new QueryException("UNKNOWN_LABEL",
                        $"Column '{name}' holds {number}, and {nameof(IndexToString)} has labels of 0 to {labels.Length - 1}."
                        + (mayHaveOther && number == labels.Length ? $" It is that of what StringIndexer does not know and keeps: set {nameof(OtherLabel)} to the text that it shall have." : ""));
                ((StringView*)_result.Data)[row] = _heap.Add(_bytes[index] ??= Encoding.UTF8.GetBytes(labels[index]));
                Bits.Set(_result.Validity, row);
            }
            return _result.Set(batch.Rows, true);
        }
    }
}
