using Dataflow.MLlib.Data;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib.Features;

/// <summary>A vector with one element replaced by a number: <c>vector_with(vector, number)</c>. Sparse vectors stay sparse; null stays null.</summary>
/// <param name="position">Which element.</param>
/// <param name="column">The column of vectors, for errors.</param>
internal sealed class ReplaceElement(int position, string column) : StepFunction("vector_with", DataType.Vector, nullable: true)
{
    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new ReplaceEvaluator(position, column, arguments[0], arguments[1], context);

    private sealed unsafe class ReplaceEvaluator(int position, string column, Evaluator vectors, Evaluator numbers, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.Vector);
        private readonly TextHeap _heap = new(context.Arena);
        private int[] _places = [];
        private double[] _values = [];

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            var (from, by) = (vectors.Evaluate(batch), numbers.Evaluate(batch));
            _heap.Clear();
            new Span<byte>(_result.Data, batch.Rows * sizeof(StringView)).Clear();
            Bits.Fill(_result.Validity, batch.Rows);
            var hasNulls = false;
            foreach (var row in batch.Selection)
            {
                if (from.IsNull(row))
                {
                    Bits.Clear(_result.Validity, row);
                    hasNulls = true;
                    continue;
                }
                var vector = new VectorView(StringView.BytesOf((StringView*)from.ValueAt(row)));
                ((StringView*)_result.Data)[row] = With(vector, by.IsNull(row) ? double.NaN : by.Value<double>(row));
            }
            return _result.Set(batch.Rows, hasNulls);
        }

        private StringView With(VectorView vector, double value)
        {
            if (position >= vector.Size)
                throw new QueryException("VECTOR_SIZE_MISMATCH",
                    $"Column '{column}' holds a vector of {vector.Size} elements, and others have one of {position + 1} or more. All rows of a feature column must have one size.");
            if (_values.Length <= vector.Stored) (_places, _values) = (new int[vector.Stored + 1], new double[vector.Stored + 1]);
            if (vector.Kind != VectorView.Sparse)
            {
                vector.CopyTo(_values.AsSpan(0, vector.Size));
                _values[position] = value;
                return VectorWriter.Write(_heap, _values.AsSpan(0, vector.Size));
            }
            var count = 0;
            var isIn = false;
            for (var i = 0; i < vector.Stored; i++)
            {
                if (!isIn && vector.PlaceAt(i) >= position) Put(position, value);
                if (vector.PlaceAt(i) != position) (_places[count], _values[count++]) = (vector.PlaceAt(i), vector.StoredAt(i));
            }
            if (!isIn) Put(position, value);
            return VectorWriter.WriteSparse(_heap, vector.Size, _places.AsSpan(0, count), _values.AsSpan(0, count));

            void Put(int place, double number)
            {
                isIn = true;
                if (number != 0) (_places[count], _values[count++]) = (place, number);
            }
        }
    }
}
