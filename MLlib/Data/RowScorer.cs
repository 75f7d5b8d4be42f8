using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib.Data;

/// <summary>
/// Computes something of the features of rows, many rows at a time: a prediction, a probability vector, a scaled vector. Travels to executors with what it holds;
/// one object is used by all tasks at once.
/// </summary>
/// <param name="name">How plans and errors call it: <c>gbt_raw</c>.</param>
internal abstract class RowScorer(string name)
{
    /// <summary>How plans and errors call it.</summary>
    public string Name { get; } = name;

    /// <summary>Features it needs; -1 takes any number.</summary>
    public abstract int Width { get; }

    /// <summary>Numbers it gives for a row of <paramref name="width"/> features.</summary>
    public virtual int OutputWidth(int width) => 1;

    /// <summary>Whether its numbers become a vector; else it gives one number a row.</summary>
    public virtual bool GivesVector => false;

    /// <summary>Whether vectors it gives are stored sparse where that is smaller.</summary>
    public virtual bool Compresses => false;

    /// <summary>Computes rows.</summary>
    /// <param name="rows">rows x <paramref name="width"/>; NaN where a value is null.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="width">Features of a row.</param>
    /// <param name="output">rows x <see cref="OutputWidth"/>.</param>
    public abstract void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output);

    /// <summary>The column that it computes of feature columns.</summary>
    /// <param name="frame">A frame that has them.</param>
    /// <param name="columns">The features.</param>
    public virtual Column Of(DataFrame frame, FeatureColumns columns) => Functions.Call(new ScoreFunction(this, columns), columns.In(frame));
}

/// <summary>A scorer as a function of SQL.</summary>
internal sealed class ScoreFunction(RowScorer scorer, FeatureColumns columns) : ScalarFunction(scorer.Name)
{
    public override string Usage => $"{Name}(feature, ...)";

    public override string Summary => "What a model makes of features.";

    public override bool MayFail => true;

    public override bool IsNullable(ValueList<Expression> arguments) => false;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        new([.. arguments.Select(argument => argument.Type)], scorer.GivesVector ? DataType.Vector : DataType.Double);

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new ScoreEvaluator(scorer, columns, arguments, context);
}

/// <summary>Runs a scorer over batches.</summary>
internal sealed unsafe class ScoreEvaluator : Evaluator
{
    // Rows that are read and scored at a time: they stay in the cache.
    private const int PartBytes = 128 << 10;

    // Where rows or what becomes of them are very wide, this many numbers at a time, and one row at least.
    private const int MostNumbers = 2 << 20;

    // Rows of fewer features are not worth looking for zeros in.
    private const int SparseFrom = 64;

    private readonly RowScorer _scorer;
    private readonly FeatureColumns _columns;
    private readonly Evaluator[] _arguments;
    private readonly ColumnVector[] _given;
    private readonly FeatureReader _reader;
    private readonly FlatVector _result;
    private readonly TextHeap _heap;
    private double[] _rows = [];
    private double[] _scores = [];

    public ScoreEvaluator(RowScorer scorer, FeatureColumns columns, Evaluator[] arguments, EvaluatorContext context)
    {
        _scorer = scorer;
        _columns = columns;
        _arguments = arguments;
        _given = new ColumnVector[arguments.Length];
        _reader = new FeatureReader(columns, scorer.Name);
        _result = new FlatVector(context.Arena, scorer.GivesVector ? DataType.Vector : DataType.Double);
        _heap = new TextHeap(context.Arena);
    }

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        for (var i = 0; i < _arguments.Length; i++) _given[i] = _arguments[i].Evaluate(batch);
        _heap.Clear();
        if (_scorer.GivesVector) new Span<byte>(_result.Data, batch.Rows * sizeof(StringView)).Clear();
        var selection = batch.Selection;
        var count = _reader.Begin(_given, selection);
        if (count == 0) return _result.Set(batch.Rows, false);
        var width = _reader.Width;
        if (width < 0)
        {
            // Only nulls so far where a vector should be: they are scored as missing if it is known how many elements they would have.
            throw new QueryException("INVALID_FEATURE", $"The column '{_columns.Names[_reader.Widths.IndexOf(-1)]}' holds only NULL, and {_scorer.Name} needs a vector there. Filter such rows first.");
        }
        if (_scorer.Width >= 0 && width != _scorer.Width)
        {
            throw new QueryException("VECTOR_SIZE_MISMATCH",
                $"{_scorer.Name} was made for {_scorer.Width} features, and columns {string.Join(", ", _columns.Names)} give {width}. Transform what the model was fitted with.");
        }
        var output = _scorer.OutputWidth(width);
        if (_scorer is ISparseScorer { TakesSparse: true } sparse && width >= SparseFrom && _reader.StoredCount(0, count) < (long)count * width / 4)
        {
            var most = Math.Clamp(MostNumbers / Math.Max(1, output), 1, count);
            if (_scores.Length < most * output) _scores = GC.AllocateUninitializedArray<double>(most * output);
            for (var first = 0; first < count; first += most)
            {
                var rows = Math.Min(most, count - first);
                sparse.Score(_reader.ReadSparse(first, rows), _scores.AsSpan(0, rows * output));
                WriteScores(selection.Slice(first, rows), output);
            }
            return _result.Set(batch.Rows, false);
        }
        var part = Math.Clamp(PartBytes / 8 / Math.Max(1, width), 16, ColumnBatch.MaxRows);
        part = Math.Clamp(MostNumbers / Math.Max(1, Math.Max(width, output)), 1, part);
        if (_rows.Length < part * width) _rows = GC.AllocateUninitializedArray<double>(part * width);
        if (_scores.Length < part * output) _scores = GC.AllocateUninitializedArray<double>(part * output);
        for (var first = 0; first < count; first += part)
        {
            var rows = Math.Min(part, count - first);
            fixed (double* to = _rows) _reader.Read(first, rows, to, width);
            _scorer.Score(_rows.AsSpan(0, rows * width), rows, width, _scores.AsSpan(0, rows * output));
            WriteScores(selection.Slice(first, rows), output);
        }
        return _result.Set(batch.Rows, false);
    }

    private void WriteScores(ReadOnlySpan<ushort> selection, int output)
    {
        for (var i = 0; i < selection.Length; i++)
        {
            if (_scorer.GivesVector) ((StringView*)_result.Data)[selection[i]] = VectorWriter.Write(_heap, _scores.AsSpan(i * output, output), _scorer.Compresses);
            else ((double*)_result.Data)[selection[i]] = _scores[i];
        }
    }
}
