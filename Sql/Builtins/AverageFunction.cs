using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>avg</c>: a decimal with four digits more of decimals, else double.</summary>
internal sealed class AverageFunction() : AggregateFunction("avg")
{
    public override ValueList<string> Aliases => ["mean"];

    public override string Usage => "avg(number)";

    public override string Summary => "The mean of all values that are not null; null if there are none.";

    public override bool TakesNarrowDecimals => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 1) return null;
        return arguments[0].Type switch
        {
            DecimalType type => new Signature([type], TypeRules.Bounded(type.Precision + 4, type.Scale + 4)),
            { IsNumber: true } type => new Signature([type], DataType.Double),
            { Kind: TypeKind.String or TypeKind.Null } => new Signature([DataType.Double], DataType.Double),
            _ => null,
        };
    }

    public override ValueList<DataType> StateTypes(AggregateCall call) => call.Arguments[0].Type switch
    {
        { Kind: TypeKind.Float or TypeKind.Double } => [DataType.Double, DataType.BigInt],
        var type => [DataType.Decimal(DecimalType.MaxPrecision, type is DecimalType number ? number.Scale : 0), DataType.BigInt],
    };

    public override AggregateKernel Compile(AggregateCall call) => call.Arguments[0].Type.Kind is TypeKind.Float or TypeKind.Double
        ? new FloatAverageKernel()
        : new ExactAverageKernel(call.Arguments[0].Type, call.Type);
}

/// <summary>Averages integers and decimals from exact sums.</summary>
internal sealed unsafe class ExactAverageKernel(DataType from, DataType type) : AggregateKernel
{
    private readonly ExactSums _sums = new();
    private readonly CountKernel _counts = new();

    public override int BytesPerGroup => _sums.BytesPerGroup + _counts.BytesPerGroup;

    public override void Grow(int groups)
    {
        _sums.Grow(groups);
        _counts.Grow(groups);
    }

    public override void Clear()
    {
        _sums.Clear();
        _counts.Clear();
    }

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        if (arguments[0].IsNullConstant) return;
        _sums.Add(arguments[0], rows, groups);
        _counts.Update(arguments, rows, groups);
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        _sums.Add(group, MaskedSums.Exact(mask, arguments[0], rows, out var count));
        _counts.Add(group, count);
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var sums = new WideOperand(states[0]);
        for (var i = 0; i < rows.Length; i++) _sums.Add(groups[i], sums[rows[i]]);
        _counts.Merge(states[1..], rows, groups);
    }

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap)
    {
        var to = (Int128*)states[0].Data;
        for (var i = 0; i < count; i++) to[i] = _sums[first + i];
        states[0].Set(count, false);
        _counts.WriteStates(first, count, states[1..], heap);
    }

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        var hasNulls = false;
        Bits.Fill(result.Validity, count);
        var digits = type is DecimalType to ? to.Scale - ((DecimalType)from).Scale : 0;
        for (var i = 0; i < count; i++)
        {
            var rows = _counts[first + i];
            if (rows == 0)
            {
                hasNulls = true;
                Bits.Clear(result.Validity, i);
                continue;
            }
            var sum = _sums[first + i];
            if (type is not DecimalType)
            {
                ((double*)result.Data)[i] = (double)sum / rows;
                continue;
            }
            // The digits that are added may not fit beside a large sum: then the quotient is taken first.
            var (whole, rest) = Int128.DivRem(sum, rows);
            var mean = (whole * PowersOfTen.Of(digits)) + PowersOfTen.DivideHalfUp(rest * PowersOfTen.Of(digits), rows);
            if (type.Physical == PhysicalType.Int64) ((long*)result.Data)[i] = (long)mean;
            else ((Int128*)result.Data)[i] = mean;
        }
        result.Set(count, hasNulls);
    }
}

/// <summary>Averages floating-point numbers.</summary>
internal sealed unsafe class FloatAverageKernel : AggregateKernel
{
    private readonly GroupArray<double> _sums = new();
    private readonly CountKernel _counts = new();

    public override int BytesPerGroup => sizeof(double) + _counts.BytesPerGroup;

    public override void Grow(int groups)
    {
        _sums.Grow(groups);
        _counts.Grow(groups);
    }

    public override void Clear()
    {
        _sums.Clear();
        _counts.Clear();
    }

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        if (arguments[0].IsNullConstant) return;
        var values = new NumberOperand(arguments[0]);
        for (var i = 0; i < rows.Length; i++)
        {
            if (!arguments[0].IsNull(rows[i])) _sums.Items[groups[i]] += values[rows[i]];
        }
        _counts.Update(arguments, rows, groups);
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        _sums.Items[group] += MaskedSums.Doubles(mask, arguments[0], rows, out var count);
        _counts.Add(group, count);
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var sums = new Operand<double>(states[0]);
        for (var i = 0; i < rows.Length; i++) _sums.Items[groups[i]] += sums[rows[i]];
        _counts.Merge(states[1..], rows, groups);
    }

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap)
    {
        _sums.Items.AsSpan(first, count).CopyTo(new Span<double>(states[0].Data, count));
        states[0].Set(count, false);
        _counts.WriteStates(first, count, states[1..], heap);
    }

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        var hasNulls = false;
        Bits.Fill(result.Validity, count);
        for (var i = 0; i < count; i++)
        {
            var rows = _counts[first + i];
            if (rows == 0)
            {
                hasNulls = true;
                Bits.Clear(result.Validity, i);
            }
            ((double*)result.Data)[i] = _sums.Items[first + i] / rows;
        }
        result.Set(count, hasNulls);
    }
}
