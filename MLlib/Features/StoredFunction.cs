using Dataflow.MLlib.Data;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib.Features;

/// <summary>Changes the numbers that vectors store. Where zeros stay zeros, sparse vectors are worked on as they are stored.</summary>
/// <param name="name">How plans and errors call it.</param>
/// <param name="nullable">Whether null stays null.</param>
internal abstract class StoredFunction(string name, bool nullable = true) : StepFunction(name, DataType.Vector, nullable)
{
    /// <summary>Whether zeros change, so that sparse vectors are spread out first.</summary>
    public virtual bool MakesDense => false;

    /// <summary>What null becomes; null for null.</summary>
    public virtual double[]? Missing => null;

    /// <summary>Refuses vectors that it is not made for.</summary>
    /// <param name="size">Elements of the vector.</param>
    public virtual void Check(int size) { }

    /// <summary>Changes the numbers of one vector, those of a dense one with their zeros.</summary>
    /// <param name="places">Where they stand in the vector.</param>
    /// <param name="values">The numbers.</param>
    public abstract void Apply(ReadOnlySpan<int> places, Span<double> values);

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new StoredEvaluator(this, arguments[0], context);

    private sealed unsafe class StoredEvaluator(StoredFunction function, Evaluator argument, EvaluatorContext context) : Evaluator
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
            Bits.Fill(_result.Validity, batch.Rows);
            var hasNulls = false;
            foreach (var row in batch.Selection)
            {
                if (!vectors.IsNull(row))
                {
                    ((StringView*)_result.Data)[row] = Changed(new VectorView(StringView.BytesOf((StringView*)vectors.ValueAt(row))));
                    continue;
                }
                if (function.Missing is { } missing)
                {
                    ((StringView*)_result.Data)[row] = VectorWriter.Write(_heap, missing);
                    continue;
                }
                Bits.Clear(_result.Validity, row);
                hasNulls = true;
            }
            return _result.Set(batch.Rows, hasNulls);
        }

        private StringView Changed(VectorView vector)
        {
            function.Check(vector.Size);
            if (function.MakesDense)
            {
                if (_values.Length < vector.Size) (_places, _values) = (new int[vector.Size], new double[vector.Size]);
                for (var i = 0; i < vector.Size; i++) _places[i] = i;
                vector.CopyTo(_values.AsSpan(0, vector.Size));
                function.Apply(_places.AsSpan(0, vector.Size), _values.AsSpan(0, vector.Size));
                return VectorWriter.Write(_heap, _values.AsSpan(0, vector.Size));
            }
            var stored = vector.Stored;
            if (_values.Length < stored) (_places, _values) = (new int[stored], new double[stored]);
            for (var i = 0; i < stored; i++) (_places[i], _values[i]) = (vector.PlaceAt(i), vector.StoredAt(i));
            function.Apply(_places.AsSpan(0, stored), _values.AsSpan(0, stored));
            return vector.Kind == VectorView.Sparse
                ? VectorWriter.WriteSparse(_heap, vector.Size, _places.AsSpan(0, stored), _values.AsSpan(0, stored))
                : VectorWriter.Write(_heap, _values.AsSpan(0, stored), compresses: true);
        }
    }
}
