using System.Runtime.InteropServices;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>median</c>, <c>percentile</c> (<c>percentile_cont</c>) and <c>percentile_disc</c>: exact, from all values.</summary>
internal sealed class PercentileFunction(string name, ValueList<string> aliases) : AggregateFunction(name)
{
    private bool IsMedian => Name == "median";

    public override ValueList<string> Aliases => aliases;

    public override string Usage => IsMedian ? "median(number)" : Name == "percentile" ? "percentile(number, share)" : "percentile_disc(share) WITHIN GROUP (ORDER BY number)";

    public override string Summary => Name switch
    {
        "median" => "The middle value, or the mean of both.",
        "percentile" => "The value below which the share, from 0 to 1, of all values lies; between two values in proportion.",
        _ => "The first value, in order, up to which the share, from 0 to 1, of all values lies.",
    };

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count == 0 || !ImplicitCasts.Allows(arguments[0].Type, DataType.Double)) return null;
        if (IsMedian) return arguments.Count == 1 ? new Signature([DataType.Double], DataType.Double) : null;
        // The parser adds whether WITHIN GROUP orders the largest first.
        if (arguments.Count is < 2 or > 3 || arguments is [_, _, not Literal { Value: bool }]) return null;
        return ShareOf(arguments[1]) is >= 0 and <= 1 ? new Signature([DataType.Double, .. arguments.Skip(1).Select(argument => argument.Type)], DataType.Double) : null;
    }

    public override ValueList<DataType> StateTypes(AggregateCall call) => [DataType.Binary];

    public override AggregateKernel Compile(AggregateCall call)
    {
        var isDescending = call.Arguments is [_, _, Literal { Value: true }];
        return new PercentileKernel(IsMedian ? 0.5 : ShareOf(call.Arguments[1])!.Value, isDescending, Name == "percentile_disc");
    }

    private static double? ShareOf(Expression share) => share switch
    {
        Literal { Value: double value } => value,
        Literal { Value: Int128 value, Type: DecimalType type } => (double)value / (double)PowersOfTen.Of(type.Scale),
        Literal { Value: int value } => value,
        _ => null,
    };
}

/// <summary>Keeps all values of a group, and sorts them at the end.</summary>
internal sealed unsafe class PercentileKernel(double share, bool isDescending, bool isDiscrete) : ObjectKernel<List<double>>
{
    protected override long Add(ref List<double>? state, ColumnVector vector, int row)
    {
        (state ??= []).Add(vector.Value<double>(row));
        return sizeof(double);
    }

    protected override long Merge(ref List<double>? state, ReadOnlySpan<byte> bytes)
    {
        (state ??= []).AddRange(MemoryMarshal.Cast<byte, double>(bytes));
        return bytes.Length;
    }

    protected override ReadOnlySpan<byte> Write(List<double> state) => MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(state));

    protected override bool WriteResult(List<double>? state, FlatVector result, int row, TextHeap heap)
    {
        if (state is null) return false;
        // NaN is the largest, where Sort has it first.
        state.Sort(static (a, b) => double.IsNaN(a) ? double.IsNaN(b) ? 0 : 1 : double.IsNaN(b) ? -1 : a.CompareTo(b));
        if (isDescending) state.Reverse();
        if (isDiscrete)
        {
            ((double*)result.Data)[row] = state[Math.Max(0, (int)Math.Ceiling(share * state.Count) - 1)];
            return true;
        }
        var place = share * (state.Count - 1);
        var (low, high) = (state[(int)Math.Floor(place)], state[(int)Math.Ceiling(place)]);
        ((double*)result.Data)[row] = low == high ? low : low + ((place - Math.Floor(place)) * (high - low));
        return true;
    }
}
