using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Kernels;

/// <summary>A column of the batch.</summary>
internal sealed class ColumnEvaluator(int column) : Evaluator
{
    public int Column => column;

    public override ColumnVector Evaluate(ColumnBatch batch) => batch.Columns[column];
}

/// <summary>A value that stands in the query.</summary>
internal sealed unsafe class LiteralEvaluator : Evaluator
{
    private readonly ColumnVector _vector;
    private readonly ColumnVector? _narrow;

    public LiteralEvaluator(Literal literal, TaskArena arena)
    {
        _vector = new ColumnVector(literal.Type) { Form = VectorForm.Constant };
        var bytes = literal.Value switch { string text => Encoding.UTF8.GetBytes(text), byte[] given => given, _ => [] };
        var memory = arena.Rent(64 + bytes.Length).Pointer;
        new Span<byte>(memory, 64 + TaskArena.Slack).Clear();
        _vector.Data = memory;
        if (literal.Value is null)
        {
            _vector.Validity = (ulong*)(memory + 32);
            return;
        }
        bytes.CopyTo(new Span<byte>(memory + 64, bytes.Length));
        switch (literal.Type.Physical)
        {
            case PhysicalType.Bit: *(ulong*)memory = (bool)literal.Value ? ulong.MaxValue : 0; break;
            case PhysicalType.Int8: *(sbyte*)memory = (sbyte)literal.Value; break;
            case PhysicalType.Int16: *(short*)memory = (short)literal.Value; break;
            case PhysicalType.Int32: *(int*)memory = (int)literal.Value; break;
            case PhysicalType.Int64: *(long*)memory = literal.Type.Kind == TypeKind.Decimal ? (long)(Int128)literal.Value : (long)literal.Value; break;
            case PhysicalType.Int128: *(Int128*)memory = (Int128)literal.Value; break;
            case PhysicalType.Float32: *(float*)memory = (float)literal.Value; break;
            case PhysicalType.Float64: *(double*)memory = (double)literal.Value; break;
            case PhysicalType.View: *(StringView*)memory = StringView.Of(memory + 64, bytes.Length); break;
            default: throw new InvalidOperationException($"A literal of type {literal.Type} can't be computed with. Please report this.");
        }
        if (BoundsOf.Constant(_vector) is not { } value) return;
        _vector.Bounds = new ValueBounds(value, value);
        // The low half of 128 bits is the value in 64, if it fits.
        if (literal.Type is not DecimalType { Scale: <= DecimalType.MaxNarrowPrecision, Physical: PhysicalType.Int128 } type || value < long.MinValue || value > long.MaxValue) return;
        _narrow = new ColumnVector(DataType.Decimal(DecimalType.MaxNarrowPrecision, type.Scale)) { Form = VectorForm.Constant, Data = memory, Bounds = _vector.Bounds };
    }

    public override bool IsConstant => true;

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        _vector.Length = batch.Rows;
        return _vector;
    }

    public override ColumnVector EvaluateNarrow(ColumnBatch batch)
    {
        if (_narrow is null) return Evaluate(batch);
        _narrow.Length = batch.Rows;
        return _narrow;
    }
}
