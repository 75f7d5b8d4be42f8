using Dataflow.MLlib.Data;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib.Features;

/// <summary>Puts numbers and vectors of a row into one vector. Sparse parts are copied element by element as they are stored, so a vector of a million
/// elements costs what it stores.</summary>
/// <param name="columns">The parts.</param>
/// <param name="handleInvalid">What becomes of null and NaN: an error, null (Skip: the caller leaves the row out), or NaN.</param>
internal sealed class AssembleFunction(FeatureColumns columns, InvalidValues handleInvalid)
    : StepFunction("vector_assembler", DataType.Vector, nullable: handleInvalid == InvalidValues.Skip)
{
    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new AssembleEvaluator(columns, handleInvalid, arguments, context);
}

/// <summary>Runs an <see cref="AssembleFunction"/>.</summary>
internal sealed unsafe class AssembleEvaluator(FeatureColumns columns, InvalidValues handleInvalid, Evaluator[] arguments, EvaluatorContext context) : Evaluator
{
    private readonly ColumnVector[] _given = new ColumnVector[arguments.Length];
    private readonly int[] _sizes = [.. columns.IsVector.Select(isVector => isVector ? -1 : 1)];
    private readonly FlatVector _result = new(context.Arena, DataType.Vector);
    private readonly TextHeap _heap = new(context.Arena);
    private int[] _places = new int[64];
    private double[] _values = new double[64];
    private double[] _dense = [];
    private int _stored;

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        for (var i = 0; i < arguments.Length; i++) _given[i] = arguments[i].Evaluate(batch);
        _heap.Clear();
        new Span<byte>(_result.Data, batch.Rows * sizeof(StringView)).Clear();
        Bits.Fill(_result.Validity, batch.Rows);
        var hasNulls = false;
        FindSizes(batch);
        foreach (var row in batch.Selection)
        {
            _stored = 0;
            var size = 0;
            var isWhole = true;
            for (var i = 0; i < _given.Length; i++)
            {
                if ((long)size + _sizes[i] > int.MaxValue) throw TooWide(i, size);
                isWhole &= Add(i, row, size);
                size += _sizes[i];
            }
            if (!isWhole && handleInvalid == InvalidValues.Skip)
            {
                Bits.Clear(_result.Validity, row);
                hasNulls = true;
                continue;
            }
            ((StringView*)_result.Data)[row] = Write(size);
        }
        return _result.Set(batch.Rows, hasNulls);
    }

    private StringView Write(int size)
    {
        if (VectorView.LengthOf(VectorView.Sparse, _stored) < 1 + (8L * size))
            return VectorWriter.WriteSparse(_heap, size, _places.AsSpan(0, _stored), _values.AsSpan(0, _stored));
        if (_dense.Length < size) _dense = new double[size];
        var all = _dense.AsSpan(0, size);
        all.Clear();
        for (var i = 0; i < _stored; i++) all[_places[i]] = _values[i];
        return VectorWriter.Write(_heap, all);
    }

    // Null vectors have the size of the others of their column.
    private void FindSizes(ColumnBatch batch)
    {
        for (var i = 0; i < _sizes.Length; i++)
        {
            if (_sizes[i] >= 0) continue;
            foreach (var row in batch.Selection)
            {
                if (_given[i].IsNull(row)) continue;
                _sizes[i] = new VectorView(StringView.BytesOf((StringView*)_given[i].ValueAt(row))).Size;
                break;
            }
        }
    }

    // Adds the part of a column; false if there is null or NaN in it.
    private bool Add(int index, int row, int at)
    {
        var column = _given[index];
        if (column.IsNull(row)) return AddMissing(index, at);
        if (columns.IsVector[index]) return AddVector(index, new VectorView(StringView.BytesOf((StringView*)column.ValueAt(row))), at);
        var value = column.Type.Kind == TypeKind.Float ? column.Value<float>(row) : column.Value<double>(row);
        return AddValue(index, at, value);
    }

    private bool AddVector(int index, VectorView vector, int at)
    {
        if (vector.Size != _sizes[index])
        {
            throw new QueryException("VECTOR_SIZE_MISMATCH",
                $"Column '{columns.Names[index]}' holds a vector of {vector.Size} elements, and {nameof(VectorAssembler)} reads vectors of {_sizes[index]}. "
                + "All rows of a feature column must have one size.");
        }
        var isWhole = true;
        for (var i = 0; i < vector.Stored; i++)
        {
            isWhole &= AddValue(index, at + vector.PlaceAt(i), vector.StoredAt(i));
        }
        return isWhole;
    }

    private bool AddMissing(int index, int at)
    {
        if (handleInvalid == InvalidValues.Error) throw Missing(index, "null");
        if (handleInvalid == InvalidValues.Keep && _sizes[index] < 0)
            throw new QueryException("INVALID_FEATURE",
                $"Column '{columns.Names[index]}' begins with NULL only, so {nameof(VectorAssembler)} can't know how many elements its vectors have. "
                + "Filter such rows first.");
        for (var i = 0; handleInvalid == InvalidValues.Keep && i < _sizes[index]; i++) Append(at + i, double.NaN);
        return false;
    }

    private bool AddValue(int index, int at, double value)
    {
        if (value == 0) return true;
        Append(at, value);
        if (!double.IsNaN(value)) return true;
        return handleInvalid == InvalidValues.Error ? throw Missing(index, "NaN") : false;
    }

    private void Append(int at, double value)
    {
        if (_stored == _places.Length)
        {
            Array.Resize(ref _places, _stored * 2);
            Array.Resize(ref _values, _stored * 2);
        }
        _places[_stored] = at;
        _values[_stored++] = value;
    }

    private QueryException TooWide(int index, int before) => new("VECTOR_TOO_LARGE",
        $"Column '{columns.Names[index]}' has vectors of {_sizes[index]:N0} elements, and {nameof(VectorAssembler)} has {before:N0} before them: "
        + $"together more than the {int.MaxValue:N0} that a vector can have. Leave a column out, or give it smaller vectors.");

    private QueryException Missing(int index, string what) => new("INVALID_FEATURE", $"{nameof(VectorAssembler)} met {what} in column '{columns.Names[index]}'. "
        + $"Fill it with {nameof(Imputer)}, or set HandleInvalid to {nameof(InvalidValues.Keep)} (NaN) or {nameof(InvalidValues.Skip)} (leave such rows out).");
}
