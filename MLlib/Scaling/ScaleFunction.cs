using Dataflow.MLlib.Data;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.MLlib.Features;

namespace Dataflow.MLlib.Scaling;

/// <summary>Multiplies the elements of a vector by factors. Zeros stay zeros, so sparse vectors are worked on as they are stored.</summary>
/// <param name="name">How plans and errors call it.</param>
/// <param name="factors">One for each element.</param>
/// <param name="column">The column of vectors, for errors.</param>
internal sealed class ScaleFunction(string name, double[] factors, string column) : StepFunction(name, DataType.Vector)
{
    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new ScaleEvaluator(Name, factors, column, arguments[0], context);

    private sealed unsafe class ScaleEvaluator(string name, double[] factors, string column, Evaluator argument, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.Vector);
        private readonly TextHeap _heap = new(context.Arena);
        private int[] _places = [];
        private double[] _values = [];

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            var vectors = argument.Evaluate(batch);
            _heap.Clear();
            new Span<byte>(_result.Data, batch.Rows * sizeof(StringView)).Clear();
            foreach (var row in batch.Selection) ((StringView*)_result.Data)[row] = vectors.IsNull(row) ? Missing() : Scaled(new VectorView(StringView.BytesOf((StringView*)vectors.ValueAt(row))));
            return _result.Set(batch.Rows, false);
        }

        private StringView Scaled(VectorView vector)
        {
            if (vector.Size != factors.Length)
            {
                throw new QueryException("VECTOR_SIZE_MISMATCH",
                    $"{name} was made for {factors.Length} features, and column {column} gives {vector.Size}. Transform what the model was fitted with.");
            }
            if (_values.Length < vector.Stored) (_places, _values) = (new int[vector.Stored], new double[vector.Stored]);
            for (var i = 0; i < vector.Stored; i++)
            {
                _places[i] = vector.PlaceAt(i);
                _values[i] = vector.StoredAt(i) * factors[_places[i]];
            }
            return vector.Kind == VectorView.Sparse
                ? VectorWriter.WriteSparse(_heap, vector.Size, _places.AsSpan(0, vector.Stored), _values.AsSpan(0, vector.Stored))
                : VectorWriter.Write(_heap, _values.AsSpan(0, vector.Stored), compresses: true);
        }

        // As the other scorers do: nothing is known of any element.
        private StringView Missing()
        {
            var all = new double[factors.Length];
            Array.Fill(all, double.NaN);
            return VectorWriter.Write(_heap, all);
        }
    }
}
