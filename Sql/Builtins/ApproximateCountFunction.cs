using Dataflow.Sketches;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>approx_count_distinct</c>: a <see cref="HyperLogLog"/>; without an error given, of 2,048 registers, within about 2.3 % in two of three cases.</summary>
internal sealed class ApproximateCountFunction() : AggregateFunction("approx_count_distinct")
{
    public override string Usage => "approx_count_distinct(value[, error])";

    public override string Summary => "About how many different values there are.";

    public override bool IsNullable => false;

    public override bool IgnoresDuplicates => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count is not (1 or 2) || !ComparisonFunction.IsComparable(arguments[0].Type)) return null;
        if (arguments.Count == 2 && ErrorOf(arguments[1]) is not (> 0.00203 and <= 0.5)) return null;
        return arguments.Count == 1 ? new Signature([arguments[0].Type], DataType.BigInt) : new Signature([arguments[0].Type, arguments[1].Type], DataType.BigInt);
    }

    public override ValueList<DataType> StateTypes(AggregateCall call) => [DataType.Binary];

    public override AggregateKernel Compile(AggregateCall call) =>
        new ApproximateCountKernel(call.Arguments.Count == 2 ? HyperLogLog.PrecisionFor(ErrorOf(call.Arguments[1])!.Value) : 11);

    private static double? ErrorOf(Expression error) => error switch
    {
        Literal { Value: double value } => value,
        Literal { Value: Int128 value, Type: DecimalType type } => (double)value / (double)PowersOfTen.Of(type.Scale),
        _ => null,
    };
}

/// <summary>A sketch for each group; its registers are the state.</summary>
internal sealed unsafe class ApproximateCountKernel(int precision) : ObjectKernel<HyperLogLog>
{
    protected override long Add(ref HyperLogLog? state, ColumnVector vector, int row)
    {
        var hash = vector.Type.Physical switch
        {
            PhysicalType.Bit => SparkHash.Xx((vector.Form == VectorForm.Dictionary ? vector.Dictionary!.Values.Bit((int)vector.Codes[row]) : vector.Bit(row)) ? 1 : 0, 0),
            PhysicalType.View => SparkHash.Xx(StringView.BytesOf((StringView*)vector.ValueAt(row)), 0),
            // Both zeros are one value, and so are all NaN.
            PhysicalType.Float32 => SparkHash.Xx(BitConverter.DoubleToInt64Bits(Canonical(vector.Value<float>(row))), 0),
            PhysicalType.Float64 => SparkHash.Xx(BitConverter.DoubleToInt64Bits(Canonical(vector.Value<double>(row))), 0),
            _ => SparkHash.Xx(new ReadOnlySpan<byte>(vector.ValueAt(row), vector.Type.ByteWidth), 0),
        };
        var grown = GrownBy(state);
        (state ??= new HyperLogLog(precision)).Add((ulong)hash);
        return grown;

        static double Canonical(double value) => value == 0 ? 0 : double.IsNaN(value) ? double.NaN : value;
    }

    protected override long Merge(ref HyperLogLog? state, ReadOnlySpan<byte> bytes)
    {
        var grown = GrownBy(state);
        (state ??= new HyperLogLog(precision)).Merge(bytes);
        return grown;
    }

    protected override ReadOnlySpan<byte> Write(HyperLogLog state) => state.Registers;

    protected override bool WriteResult(HyperLogLog? state, FlatVector result, int row, TextHeap heap)
    {
        ((long*)result.Data)[row] = state?.Estimate() ?? 0;
        return true;
    }

    private long GrownBy(HyperLogLog? state) => state is null ? (1L << precision) + 64 : 0;
}
