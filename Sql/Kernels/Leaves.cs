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
        if (BoundsOf.Constant(_vector) is { } value) _vector.Bounds = new ValueBounds(value, value);
    }

    public override bool IsConstant => true;

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        _vector.Length = batch.Rows;
        return _vector;
    }
}
