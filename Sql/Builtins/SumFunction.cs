using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>sum</c>: bigint of integers, a decimal with ten digits more of decimals, double of floating-point numbers.</summary>
internal sealed class SumFunction() : AggregateFunction("sum")
{
    public override string Usage => "sum(number)";

    public override string Summary => "The sum of all values that are not null; null if there are none.";

    public override bool TakesNarrowDecimals => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 1) return null;
        return arguments[0].Type switch
        {
            DecimalType type => new Signature([type], TypeRules.Bounded(type.Precision + 10, type.Scale)),
            { IsInteger: true } type => new Signature([type], DataType.BigInt),
            { Kind: TypeKind.Float or TypeKind.Double } type => new Signature([type], DataType.Double),
            { Kind: TypeKind.String or TypeKind.Null } => new Signature([DataType.Double], DataType.Double),
            { Kind: TypeKind.YearMonthInterval or TypeKind.DayTimeInterval } type => new Signature([type], type),
            _ => null,
        };
    }

    public override ValueList<DataType> StateTypes(AggregateCall call) => call.Type.Kind == TypeKind.Double
        ? [DataType.Double]
        : [DataType.Decimal(DecimalType.MaxPrecision, call.Type is DecimalType type ? type.Scale : 0)];

    public override AggregateKernel Compile(AggregateCall call) => call.Type.Kind == TypeKind.Double ? new FloatSumKernel() : new ExactSumKernel(call.Type);
}

/// <summary>Sums integers and decimals. The state is the sum in 128 bits, null without rows.</summary>
internal sealed unsafe class ExactSumKernel(DataType type) : AggregateKernel
{
    private readonly ExactSums _sums = new();
    private readonly GroupArray<bool> _seen = new();

    public override int BytesPerGroup => _sums.BytesPerGroup + 1;

    public override void Grow(int groups)
    {
        _sums.Grow(groups);
        _seen.Grow(groups);
    }

    public override void Clear()
    {
        _sums.Clear();
        _seen.Clear();
    }

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var vector = arguments[0];
        if (vector.IsNullConstant) return;
        Seen.Mark(_seen.Items, vector, rows, groups);
        _sums.Add(vector, rows, groups);
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        var sum = MaskedSums.Exact(mask, arguments[0], rows, out var count);
        if (count == 0) return;
        _seen.Items[group] = true;
        _sums.Add(group, sum);
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var sums = new WideOperand(states[0]);
        for (var i = 0; i < rows.Length; i++)
        {
            if (states[0].IsNull(rows[i])) continue;
            _seen.Items[groups[i]] = true;
            _sums.Add(groups[i], sums[rows[i]]);
        }
    }

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap)
    {
        var to = (Int128*)states[0].Data;
        for (var i = 0; i < count; i++) to[i] = _sums[first + i];
        Seen.Write(_seen.Items, first, count, states[0]);
    }

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        var limit = type is DecimalType narrow ? PowersOfTen.Of(narrow.Precision) - 1 : type.Physical == PhysicalType.Int32 ? int.MaxValue : long.MaxValue;
        var least = type is DecimalType ? -limit : -limit - 1;
        for (var i = 0; i < count; i++)
        {
            var sum = _sums[first + i];
            if (sum > limit || sum < least)
            {
                throw new QueryException("ARITHMETIC_OVERFLOW",
                    $"The sum {EvaluationError.Text(sum, type)} is out of the range of {type}. Cast what is summed to a wider type: sum(cast(x as decimal(38,0))).");
            }
            switch (type.Physical)
            {
                case PhysicalType.Int32: ((int*)result.Data)[i] = (int)sum; break;
                case PhysicalType.Int64: ((long*)result.Data)[i] = (long)sum; break;
                default: ((Int128*)result.Data)[i] = sum; break;
            }
        }
        Seen.Write(_seen.Items, first, count, result);
    }
}

/// <summary>Sums floating-point numbers. The state is the sum, null without rows.</summary>
internal sealed unsafe class FloatSumKernel : AggregateKernel
{
    private readonly GroupArray<double> _sums = new();
    private readonly GroupArray<bool> _seen = new();

    public override int BytesPerGroup => sizeof(double) + 1;

    public override void Grow(int groups)
    {
        _sums.Grow(groups);
        _seen.Grow(groups);
    }

    public override void Clear()
    {
        _sums.Clear();
        _seen.Clear();
    }

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var vector = arguments[0];
        if (vector.IsNullConstant) return;
        Seen.Mark(_seen.Items, vector, rows, groups);
        var values = new NumberOperand(vector);
        for (var i = 0; i < rows.Length; i++)
        {
            if (!vector.IsNull(rows[i])) _sums.Items[groups[i]] += values[rows[i]];
        }
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        var sum = MaskedSums.Doubles(mask, arguments[0], rows, out var count);
        if (count == 0) return;
        _seen.Items[group] = true;
        _sums.Items[group] += sum;
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups) => Update(states, rows, groups);

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap) => WriteResults(first, count, states[0], heap);

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        _sums.Items.AsSpan(first, count).CopyTo(new Span<double>(result.Data, count));
        Seen.Write(_seen.Items, first, count, result);
    }
}

/// <summary>Which groups have had a value.</summary>
internal static unsafe class Seen
{
    public static void Mark(bool[] seen, ColumnVector vector, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        if (vector.Validity == null)
        {
            foreach (var group in groups) seen[group] = true;
            return;
        }
        for (var i = 0; i < rows.Length; i++) seen[groups[i]] |= !vector.IsNull(rows[i]);
    }

    public static void Write(bool[] seen, int first, int count, FlatVector to)
    {
        var hasNulls = false;
        Bits.Fill(to.Validity, count);
        for (var i = 0; i < count; i++)
        {
            if (seen[first + i]) continue;
            hasNulls = true;
            Bits.Clear(to.Validity, i);
        }
        to.Set(count, hasNulls);
    }
}
