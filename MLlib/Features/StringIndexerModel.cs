using Dataflow.MLlib.Features;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib;

/// <summary>Numbers of texts, as a <see cref="StringIndexer"/> learned them or as given.</summary>
/// <remarks>Transform is lazy. A look-up costs about 20 ns; columns with a dictionary (Parquet) pay it once for each text of the dictionary.</remarks>
public sealed record StringIndexerModel : Transformer
{
    internal const string Ending = "_index";

    private readonly TextIndex[] _indices;

    /// <summary>A model of labels that are known.</summary>
    /// <param name="labels">For each column its texts, in the order of their numbers.</param>
    /// <exception cref="ArgumentException">A label comes twice.</exception>
    public StringIndexerModel(ValueList<ValueList<string>> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        Labels = labels;
        _indices = [.. labels.Select(each => new TextIndex(each))];
    }

    internal StringIndexerModel(ModelFolder folder) : this([.. LabelFile.Read(folder).Select(each => new ValueList<string>(each))]) { }

    /// <inheritdoc cref="StringIndexer.InputColumns"/>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <inheritdoc cref="StringIndexer.OutputColumns"/>
    public ValueList<string> OutputColumns { get; init => field = Check.Names(value); } = [];

    /// <inheritdoc cref="StringIndexer.HandleInvalid"/>
    public InvalidValues HandleInvalid { get; init => field = Check.Defined(value); } = InvalidValues.Error;

    /// <summary>The texts of each column, in the order of their numbers.</summary>
    public ValueList<ValueList<string>> Labels { get; }

    /// <summary>The number of a text of a column; -1 if it has none.</summary>
    /// <param name="text">The text.</param>
    /// <param name="column">Which of the columns, from 0.</param>
    public int IndexOf(string text, int column = 0)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _indices[column].Find(System.Text.Encoding.UTF8.GetBytes(text));
    }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var outputs = ColumnPairs.Outputs(InputColumns, OutputColumns, Ending, nameof(StringIndexerModel));
        if (outputs.Length != _indices.Length) throw new ArgumentException($"The model has labels of {_indices.Length} columns, and {outputs.Length} InputColumns.");
        var columns = outputs.Select((name, i) =>
            (name, Functions.Call(new Lookup(_indices[i], InputColumns[i], HandleInvalid), frame[InputColumns[i]].Cast(DataType.String)))).ToArray();
        var indexed = ColumnPairs.Add(frame, nameof(StringIndexerModel), columns);
        if (HandleInvalid != InvalidValues.Skip) return indexed;
        foreach (var name in outputs) indexed = indexed.Where(indexed[name].IsNotNull());
        return indexed;
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder) => LabelFile.Write(folder, Labels);

    private sealed class Lookup(TextIndex index, string column, InvalidValues handleInvalid) : StepFunction("string_index", DataType.Double, nullable: handleInvalid == InvalidValues.Skip)
    {
        public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new LookupEvaluator(this, arguments[0], context);

        /// <summary>The number of a text; NaN if it is to be left out.</summary>
        public double NumberOf(ReadOnlySpan<byte> text)
        {
            var number = index.Find(text);
            if (number >= 0) return number;
            if (handleInvalid == InvalidValues.Error)
                throw Unknown($"the text '{System.Text.Encoding.UTF8.GetString(text)}', which is none of the {index.Count} labels that were learned");
            return Other;
        }

        public double NumberOfNull => handleInvalid == InvalidValues.Error ? throw Unknown("null") : Other;

        private double Other => handleInvalid == InvalidValues.Keep ? index.Count : double.NaN;

        private QueryException Unknown(string what) => new("UNKNOWN_LABEL", $"Column '{column}' holds {what}. Set HandleInvalid of StringIndexer to "
            + $"{nameof(InvalidValues.Keep)} (a number of its own) or {nameof(InvalidValues.Skip)} (leave such rows out), or learn from more rows.");
    }

    private sealed unsafe class LookupEvaluator(Lookup lookup, Evaluator argument, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.Double);
        private ColumnDictionary? _dictionary;
        private double[] _numbers = [];
        private bool[] _known = [];

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            var column = argument.Evaluate(batch);
            var to = (double*)_result.Data;
            if (column.Form == VectorForm.Dictionary) Begin(column.Dictionary!);
            var hasNulls = false;
            Bits.Fill(_result.Validity, batch.Rows);
            foreach (var row in batch.Selection)
            {
                to[row] = column.IsNull(row) ? lookup.NumberOfNull : column.Form == VectorForm.Dictionary ? NumberOf(column, column.Codes[row]) : lookup.NumberOf(StringView.BytesOf((StringView*)column.ValueAt(row)));
                if (!double.IsNaN(to[row])) continue;
                Bits.Clear(_result.Validity, row);
                hasNulls = true;
            }
            return _result.Set(batch.Rows, hasNulls);
        }

        private void Begin(ColumnDictionary dictionary)
        {
            if (ReferenceEquals(dictionary, _dictionary) && _known.Length >= dictionary.Count) return;
            _dictionary = dictionary;
            _numbers = new double[dictionary.Count];
            _known = new bool[dictionary.Count];
        }

        private double NumberOf(ColumnVector column, uint code)
        {
            if (_known[code]) return _numbers[code];
            _numbers[code] = lookup.NumberOf(StringView.BytesOf((StringView*)column.Dictionary!.Values.ValueAt((int)code)));
            _known[code] = true;
            return _numbers[code];
        }
    }
}
