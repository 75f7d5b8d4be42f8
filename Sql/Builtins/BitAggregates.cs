using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>bit_and</c>, <c>bit_or</c> and <c>bit_xor</c> of integers.</summary>
internal sealed class BitAggregate(string name, string summary) : AggregateFunction(name)
{
    public override string Usage => $"{Name}(whole number)";

    public override string Summary => summary;

    public override bool IgnoresDuplicates => Name != "bit_xor";

    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new BitAggregate("bit_and", "The bits that all numbers have; null of none."));
        registry.Add(new BitAggregate("bit_or", "The bits that any number has; null of none."));
        registry.Add(new BitAggregate("bit_xor", "The bits that an odd count of the numbers has; null of none."));
    }

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 && arguments[0].Type.IsInteger ? new Signature([arguments[0].Type], arguments[0].Type) : null;

    public override ValueList<DataType> StateTypes(AggregateCall call) => [DataType.BigInt];

    public override AggregateKernel Compile(AggregateCall call) => new BitKernel(Name);
}

/// <summary>Combines bits. A state is the number so far, null before the first.</summary>
internal sealed unsafe class BitKernel(string name) : AggregateKernel
{
    private readonly GroupArray<State> _states = new();

    public override int BytesPerGroup => sizeof(State);

    public override void Grow(int groups) => _states.Grow(groups);

    public override void Clear() => _states.Clear();

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (!arguments[0].IsNull(rows[i])) Combine(groups[i], Whole(arguments[0], rows[i]));
        }
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var bits = MaskedSums.Word(mask, arguments[0], word, rows); bits != 0; bits &= bits - 1)
                Combine(group, Whole(arguments[0], (word << 6) + BitOperations.TrailingZeroCount(bits)));
        }
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups) => Update(states, rows, groups);

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap) => Write(first, count, states[0]);

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap) => Write(first, count, result);

    private void Combine(int group, long value)
    {
        ref var state = ref _states.Items[group];
        state.Bits = !state.IsThere ? value : name switch { "bit_and" => state.Bits & value, "bit_or" => state.Bits | value, _ => state.Bits ^ value };
        state.IsThere = true;
    }

    private static long Whole(ColumnVector vector, int row) => vector.Type.ByteWidth switch
    {
        1 => vector.Value<sbyte>(row),
        2 => vector.Value<short>(row),
        4 => vector.Value<int>(row),
        _ => vector.Value<long>(row),
    };

    private void Write(int first, int count, FlatVector result)
    {
        var width = result.Vector.Type.ByteWidth;
        Bits.Fill(result.Validity, count);
        var hasNulls = false;
        for (var i = 0; i < count; i++)
        {
            // Little-endian: the lowest bytes are the narrower number.
            var state = _states.Items[first + i];
            new ReadOnlySpan<byte>(&state.Bits, width).CopyTo(new Span<byte>(result.Data + ((nint)i * width), width));
            if (state.IsThere) continue;
            hasNulls = true;
            Bits.Clear(result.Validity, i);
        }
        result.Set(count, hasNulls);
    }

    private struct State
    {
        public long Bits;
        public bool IsThere;
    }
}
