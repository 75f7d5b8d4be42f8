using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>count(*)</c> and <c>count(a[, b ...])</c>: rows, or rows in which nothing of what is given is null.</summary>
internal sealed class CountFunction() : AggregateFunction("count")
{
    public override string Usage => "count(*), count(value[, value ...])";

    public override string Summary => "How many rows there are, or how many of them have no null among the values.";

    public override bool IsNullable => false;

    public override Signature? Resolve(ValueList<Expression> arguments) => new(arguments.ConvertAll(argument => argument.Type), DataType.BigInt);

    public override ValueList<DataType> StateTypes(AggregateCall call) => [DataType.BigInt];

    public override AggregateKernel Compile(AggregateCall call) => new CountKernel();
}

/// <summary>Counts rows.</summary>
internal sealed unsafe class CountKernel : AggregateKernel
{
    private readonly GroupArray<long> _counts = new();

    public override int BytesPerGroup => sizeof(long);

    public long this[int group] => _counts.Items[group];

    public void Add(int group, long count) => _counts.Items[group] += count;

    public override void Grow(int groups) => _counts.Grow(groups);

    public override void Clear() => _counts.Clear();

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var counts = _counts.Items;
        var hasNulls = false;
        foreach (var argument in arguments) hasNulls |= argument.Validity != null;
        if (!hasNulls)
        {
            foreach (var group in groups) counts[group]++;
            return;
        }
        for (var i = 0; i < rows.Length; i++)
        {
            var counted = 1;
            foreach (var argument in arguments) counted &= argument.IsNull(rows[i]) ? 0 : 1;
            counts[groups[i]] += counted;
        }
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        var count = 0L;
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var bits = Bits.Word(mask, word, rows);
            foreach (var argument in arguments) bits &= MaskedSums.Word(mask, argument, word, rows);
            count += System.Numerics.BitOperations.PopCount(bits);
        }
        _counts.Items[group] += count;
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var counts = new Operand<long>(states[0]);
        for (var i = 0; i < rows.Length; i++) _counts.Items[groups[i]] += counts[rows[i]];
    }

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap) => WriteResults(first, count, states[0], heap);

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        _counts.Items.AsSpan(first, count).CopyTo(new Span<long>(result.Data, count));
        result.Set(count, false);
    }
}
