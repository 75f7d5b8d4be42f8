using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>bool_and</c> and <c>bool_or</c>: the smallest and the largest of booleans.</summary>
internal sealed class BooleanFunction(string name, ValueList<string> aliases) : AggregateFunction(name)
{
    private bool IsOr => Name == "bool_or";

    public override ValueList<string> Aliases => aliases;

    public override string Usage => $"{Name}(condition)";

    public override string Summary => $"Whether {(IsOr ? "one of" : "all")} the conditions that are not null {(IsOr ? "is" : "are")} true; null if there are none.";

    public override bool IgnoresDuplicates => true;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 && arguments[0].Type.Kind is TypeKind.Boolean or TypeKind.Null ? new Signature([DataType.Boolean], DataType.Boolean) : null;

    public override ValueList<DataType> StateTypes(AggregateCall call) => [DataType.Boolean];

    public override AggregateKernel Compile(AggregateCall call) => new BitExtremeKernel(IsOr);
}

/// <summary><c>count_if</c>.</summary>
internal sealed class CountIfFunction() : AggregateFunction("count_if")
{
    public override string Usage => "count_if(condition)";

    public override string Summary => "For how many rows the condition is true.";

    public override bool IsNullable => false;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 && arguments[0].Type.Kind is TypeKind.Boolean or TypeKind.Null ? new Signature([DataType.Boolean], DataType.BigInt) : null;

    public override ValueList<DataType> StateTypes(AggregateCall call) => [DataType.BigInt];

    public override AggregateKernel Compile(AggregateCall call) => new CountIfKernel();
}

/// <summary>Counts rows for which a boolean is true.</summary>
internal sealed unsafe class CountIfKernel : AggregateKernel
{
    private readonly CountKernel _counts = new();

    public override int BytesPerGroup => _counts.BytesPerGroup;

    public override void Grow(int groups) => _counts.Grow(groups);

    public override void Clear() => _counts.Clear();

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var (value, known) = Three.Word(arguments[0], rows[i] >> 6);
            if (((value & known) >> (rows[i] & 63) & 1) != 0) _counts.Add(groups[i], 1);
        }
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        var count = 0;
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var (value, known) = Three.Word(arguments[0], word);
            count += System.Numerics.BitOperations.PopCount(value & known & Bits.Word(mask, word, rows));
        }
        _counts.Add(group, count);
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups) => _counts.Merge(states, rows, groups);

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap) => _counts.WriteStates(first, count, states, heap);

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap) => _counts.WriteResults(first, count, result, heap);
}
