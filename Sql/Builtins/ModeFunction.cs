using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>mode</c>: the value that is met most often; of several such, the first in the order of their bytes.</summary>
internal sealed class ModeFunction() : AggregateFunction("mode")
{
    public override string Usage => "mode(value)";

    public override string Summary => "The value that is met most often.";

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 && ComparisonFunction.IsComparable(arguments[0].Type) && arguments[0].Type.Physical != PhysicalType.Bit
            ? new Signature([arguments[0].Type], arguments[0].Type)
            : null;

    public override ValueList<DataType> StateTypes(AggregateCall call) => [DataType.Binary];

    public override AggregateKernel Compile(AggregateCall call) => new ModeKernel(call.Type);
}

/// <summary>Counts each value of a group. A state is length, bytes and count of each.</summary>
internal sealed unsafe class ModeKernel(DataType type) : ObjectKernel<Dictionary<ReadOnlyMemory<byte>, long>>
{
    protected override long Add(ref Dictionary<ReadOnlyMemory<byte>, long>? state, ColumnVector vector, int row)
    {
        var at = vector.ValueAt(row);
        return Add(ref state, type.Physical == PhysicalType.View ? StringView.BytesOf((StringView*)at) : new ReadOnlySpan<byte>(at, type.ByteWidth), 1);
    }

    protected override long Merge(ref Dictionary<ReadOnlyMemory<byte>, long>? state, ReadOnlySpan<byte> bytes)
    {
        var grown = 0L;
        while (bytes.Length > 0)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            grown += Add(ref state, bytes.Slice(4, length), BinaryPrimitives.ReadInt64LittleEndian(bytes[(4 + length)..]));
            bytes = bytes[(12 + length)..];
        }
        return grown;
    }

    protected override ReadOnlySpan<byte> Write(Dictionary<ReadOnlyMemory<byte>, long> state)
    {
        var bytes = new byte[state.Keys.Sum(key => key.Length + 12)];
        var rest = bytes.AsSpan();
        foreach (var (key, count) in state)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, key.Length);
            key.Span.CopyTo(rest[4..]);
            BinaryPrimitives.WriteInt64LittleEndian(rest[(4 + key.Length)..], count);
            rest = rest[(12 + key.Length)..];
        }
        return bytes;
    }

    protected override bool WriteResult(Dictionary<ReadOnlyMemory<byte>, long>? state, FlatVector result, int row, TextHeap heap)
    {
        if (state is null) return false;
        ReadOnlyMemory<byte> best = default;
        var most = 0L;
        foreach (var (key, count) in state)
        {
            if (count < most || (count == most && key.Span.SequenceCompareTo(best.Span) >= 0)) continue;
            (best, most) = (key, count);
        }
        if (type.Physical == PhysicalType.View) ((StringView*)result.Data)[row] = heap.Add(best.Span);
        else best.Span.CopyTo(new Span<byte>(result.Data + ((nint)row * type.ByteWidth), type.ByteWidth));
        return true;
    }

    private static long Add(ref Dictionary<ReadOnlyMemory<byte>, long>? state, ReadOnlySpan<byte> value, long count)
    {
        state ??= new(ByteOrder.Instance);
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(state.GetAlternateLookup<ReadOnlySpan<byte>>(), value, out var exists);
        known += count;
        return exists ? 0 : value.Length + 64;
    }
}
