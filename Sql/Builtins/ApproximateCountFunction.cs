using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>approx_count_distinct</c>: HyperLogLog with 2,048 registers, within about 2.3 % in two of three cases.</summary>
internal sealed class ApproximateCountFunction() : AggregateFunction("approx_count_distinct")
{
    public override string Usage => "approx_count_distinct(value[, error])";

    public override string Summary => "About how many different values there are.";

    public override bool IsNullable => false;

    public override bool IgnoresDuplicates => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count is not (1 or 2) || !ComparisonFunction.IsComparable(arguments[0].Type)) return null;
        return arguments.Count == 1 ? new Signature([arguments[0].Type], DataType.BigInt) : new Signature([arguments[0].Type, arguments[1].Type], DataType.BigInt);
    }

    public override ValueList<DataType> StateTypes(AggregateCall call) => [DataType.Binary];

    public override AggregateKernel Compile(AggregateCall call) => new ApproximateCountKernel();
}

/// <summary>Registers of leading zeros. (P. Flajolet et al., "HyperLogLog", 2007; estimated by O. Ertl, "New cardinality estimation algorithms", 2017, algorithm 6.)</summary>
internal sealed unsafe class ApproximateCountKernel : ObjectKernel<byte[]>
{
    private const int Precision = 11, Registers = 1 << Precision;

    protected override long Add(ref byte[]? state, ColumnVector vector, int row)
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
        var grown = state is null ? Registers + 24 : 0;
        state ??= new byte[Registers];
        var register = (int)((ulong)hash >> (64 - Precision));
        var zeros = (byte)(BitOperations.LeadingZeroCount(((ulong)hash << Precision) | (1UL << (Precision - 1))) + 1);
        if (zeros > state[register]) state[register] = zeros;
        return grown;

        static double Canonical(double value) => value == 0 ? 0 : double.IsNaN(value) ? double.NaN : value;
    }

    protected override long Merge(ref byte[]? state, ReadOnlySpan<byte> bytes)
    {
        var grown = state is null ? Registers + 24 : 0;
        state ??= new byte[Registers];
        for (var i = 0; i < bytes.Length; i++) state[i] = Math.Max(state[i], bytes[i]);
        return grown;
    }

    protected override ReadOnlySpan<byte> Write(byte[] state) => state;

    protected override bool WriteResult(byte[]? state, FlatVector result, int row, TextHeap heap)
    {
        ((long*)result.Data)[row] = state is null ? 0 : Estimate(state);
        return true;
    }

    private static long Estimate(byte[] registers)
    {
        const int most = 64 - Precision;
        Span<int> counts = stackalloc int[most + 2];
        foreach (var register in registers) counts[register]++;
        double m = Registers;
        var z = m * Tau(1 - (counts[most + 1] / m));
        for (var k = most; k >= 1; k--) z = 0.5 * (z + counts[k]);
        z += m * Sigma(counts[0] / m);
        return (long)Math.Round(m * m / (2 * Math.Log(2) * z));
    }

    private static double Sigma(double x)
    {
        if (x == 1) return double.PositiveInfinity;
        double y = 1, z = x, last;
        do
        {
            x *= x;
            last = z;
            z += x * y;
            y += y;
        }
        while (z != last);
        return z;
    }

    private static double Tau(double x)
    {
        if (x is 0 or 1) return 0;
        double y = 1, z = 1 - x, last;
        do
        {
            x = Math.Sqrt(x);
            last = z;
            y *= 0.5;
            z -= (1 - x) * (1 - x) * y;
        }
        while (z != last);
        return z / 3;
    }
}
