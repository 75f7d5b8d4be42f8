using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Lambdas;

/// <summary>Computes a lambda that is null where an argument is: dictionaries, constants and nulls are seen to by its base.</summary>
internal sealed unsafe class LambdaEvaluator : StrictEvaluator
{
    private readonly LambdaLoop _loop;
    private readonly Action<int> _setNull;
    private readonly Flattener?[] _flatteners;

    public LambdaEvaluator(LambdaLoop loop, DataType type, Evaluator[] arguments, EvaluatorContext context, int position) : base(type, arguments, context, position)
    {
        _loop = loop;
        _setNull = SetNull;
        _flatteners = new Flattener?[arguments.Length];
    }

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var flat = new ColumnVector[arguments.Length];
        for (var i = 0; i < flat.Length; i++) flat[i] = arguments[i].Form == VectorForm.Flat ? arguments[i] : (_flatteners[i] ??= new Flattener(Context.Arena)).Flat(arguments[i]);
        _loop.Run(flat, Rows, Live, Result.Data, Heap, _setNull);
        return Result.Set(Rows, HasNulls);
    }
}

/// <summary>Computes a lambda that is given nulls.</summary>
internal sealed unsafe class NullableLambdaEvaluator : Evaluator
{
    private readonly LambdaLoop _loop;
    private readonly bool[] _seesNull;
    private readonly Evaluator[] _arguments;
    private readonly Flattener[] _flatteners;
    private readonly ColumnVector[] _given;
    private readonly FlatVector _result;
    private readonly TextHeap _heap;
    private readonly ulong* _live;
    private readonly Action<int> _setNull;
    private bool _hasNulls;

    public NullableLambdaEvaluator(LambdaLoop loop, bool[] seesNull, DataType type, Evaluator[] arguments, EvaluatorContext context, int position)
    {
        _ = position;
        _loop = loop;
        _seesNull = seesNull;
        _arguments = arguments;
        _flatteners = [.. arguments.Select(_ => new Flattener(context.Arena))];
        _given = new ColumnVector[arguments.Length];
        _result = new FlatVector(context.Arena, type);
        _heap = new TextHeap(context.Arena);
        _live = (ulong*)context.Arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
        _setNull = SetNull;
    }

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        var rows = batch.Rows;
        _hasNulls = false;
        _heap.Clear();
        Bits.Fill(_live, rows);
        for (var i = 0; i < _arguments.Length; i++)
        {
            _given[i] = _flatteners[i].Flat(_arguments[i].Evaluate(batch));
            if (_seesNull[i] || _given[i].Validity == null) continue;
            Bits.And(_live, _given[i].Validity, rows);
            _hasNulls = true;
        }
        if (_hasNulls) Bits.Copy(_result.Validity, _live, rows);
        Bits.And(_live, batch.Mask, rows);
        if (_result.Vector.Type.Physical == PhysicalType.View) new Span<byte>(_result.Data, rows * sizeof(StringView)).Clear();
        _loop.Run(_given, rows, _live, _result.Data, _heap, _setNull);
        return _result.Set(rows, _hasNulls);
    }

    private void SetNull(int row)
    {
        if (!_hasNulls)
        {
            _hasNulls = true;
            Bits.Fill(_result.Validity, ColumnBatch.MaxRows);
        }
        Bits.Clear(_result.Validity, row);
    }
}
