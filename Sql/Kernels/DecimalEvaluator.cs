using System.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>
/// Adds, subtracts or multiplies decimals. Values that lie in 64 bits are computed there if their bounds, known or looked up, show that the results
/// stay inside; only else in 128 bits, row by row.
/// </summary>
internal sealed unsafe class DecimalEvaluator(char sign, DecimalType type, Evaluator[] arguments, EvaluatorContext context, int position)
    : StrictEvaluator(type, arguments, context, position)
{
    private readonly Rescaled _left = new(context.Arena);
    private readonly Rescaled _right = new(context.Arena);
    private FlatVector? _narrow;

    protected override bool TakesNarrow => true;

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var (left, right) = (_left.Narrow(arguments[0], Rows, Live), _right.Narrow(arguments[1], Rows, Live));
        var (leftScale, rightScale) = (((DecimalType)left.Type).Scale, ((DecimalType)right.Type).Scale);
        var natural = sign == '*' ? leftScale + rightScale : Math.Max(leftScale, rightScale);
        var (leftDigits, rightDigits) = sign == '*' ? (0, 0) : (natural - leftScale, natural - rightScale);
        if (left.Type.Physical == PhysicalType.Int64 && right.Type.Physical == PhysicalType.Int64
            && TryNarrow(left, right, leftDigits, rightDigits, natural - type.Scale) is { } result) return result;
        Wide(left, right, leftDigits, rightDigits, natural - type.Scale);
        return Result.Set(Rows, HasNulls);
    }

    private ColumnVector? TryNarrow(ColumnVector left, ColumnVector right, int leftDigits, int rightDigits, int drop)
    {
        if (leftDigits > 18 || rightDigits > 18 || type.Scale > DecimalType.MaxNarrowPrecision) return null;
        var isShort = type.Physical == PhysicalType.Int64;
        var leftBounds = isShort ? left.Bounds : BoundsOf.Vector(left, Rows, Live);
        var rightBounds = isShort ? right.Bounds : BoundsOf.Vector(right, Rows, Live);
        var bounds = BoundsAfter.Of(sign.ToString(), Scaled(leftBounds, leftDigits), Scaled(rightBounds, rightDigits));
        // A short result type is proof enough: its digits were counted from the operands'.
        if (!isShort && (bounds is null || bounds.Magnitude > long.MaxValue)) return null;

        left = _left.Scale(left, leftDigits, Rows);
        right = _right.Scale(right, rightDigits, Rows);
        var into = isShort ? Result : _narrow ??= new FlatVector(Context.Arena, new DecimalType(DecimalType.MaxNarrowPrecision, type.Scale));
        var to = into.Data;
        switch (sign)
        {
            case '+': Arithmetic.Run<long, Add<long>>(left, right, to, Rows); break;
            case '-': Arithmetic.Run<long, Subtract<long>>(left, right, to, Rows); break;
            default: Arithmetic.Run<long, Multiply<long>>(left, right, to, Rows); break;
        }
        if (drop > 0)
        {
            Round((long*)to, drop);
            bounds = bounds is null ? null : new ValueBounds(PowersOfTen.RoundHalfUp(bounds.Min, drop), PowersOfTen.RoundHalfUp(bounds.Max, drop));
        }
        if (isShort) return Result.Set(Rows, HasNulls, bounds);
        if (MayBeNarrow)
        {
            var vector = into.Set(Rows, false, bounds);
            if (HasNulls) vector.Validity = Result.Validity;
            return vector;
        }
        Widen.Longs((long*)to, (Int128*)Result.Data, Rows);
        return Result.Set(Rows, HasNulls, bounds);
    }

    private void Round(long* values, int drop)
    {
        for (var i = 0; i < Rows; i++) values[i] = (long)PowersOfTen.RoundHalfUp(values[i], drop);
    }

    private void Wide(ColumnVector left, ColumnVector right, int leftDigits, int rightDigits, int drop)
    {
        var l = new WideOperand(left);
        var r = new WideOperand(right);
        var to = (Int128*)Result.Data;
        var limit = PowersOfTen.Of(type.Precision);
        var (leftFactor, rightFactor) = (PowersOfTen.Of(leftDigits), PowersOfTen.Of(rightDigits));
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(live);
                var (a, b) = (l[row], r[row]);
                Int128 value;
                if (!Fits(a, leftFactor) || !Fits(b, rightFactor) || (sign == '*' && !Fits(a, b))) value = Huge(a, b, leftFactor, rightFactor, drop);
                else
                {
                    value = sign switch { '+' => (a * leftFactor) + (b * rightFactor), '-' => (a * leftFactor) - (b * rightFactor), _ => a * b };
                    value = PowersOfTen.RoundHalfUp(value, drop);
                }
                if (value >= limit || value <= -limit) throw EvaluationError.OutOfRange(Shown(a, b, left, right), type, Context, Position);
                if (type.Physical == PhysicalType.Int128) to[row] = value;
                else ((long*)to)[row] = (long)value;
            }
        }
    }

    // Whether a product surely stays below 2^126.
    private static bool Fits(Int128 a, Int128 b) => BitsOf(a) + BitsOf(b) <= 126;

    private static int BitsOf(Int128 value) => 128 - (int)Int128.LeadingZeroCount(value < 0 ? ~value : value);

    private Int128 Huge(Int128 a, Int128 b, Int128 leftFactor, Int128 rightFactor, int drop)
    {
        var (l, r) = ((BigInteger)a * leftFactor, (BigInteger)b * rightFactor);
        var value = sign switch { '+' => l + r, '-' => l - r, _ => l * r };
        if (drop > 0) value = PowersOfTen.DivideHalfUp(value, BigInteger.Pow(10, drop));
        return BigInteger.Abs(value) < PowersOfTen.Of(38) ? (Int128)value : Int128.MaxValue;
    }

    private string Shown(Int128 a, Int128 b, ColumnVector left, ColumnVector right) =>
        $"{EvaluationError.Text(a, left.Type)} {sign} {EvaluationError.Text(b, right.Type)}";

    private static ValueBounds? Scaled(ValueBounds? bounds, int digits)
    {
        if (bounds is null || digits == 0) return bounds;
        var factor = PowersOfTen.Of(digits);
        return bounds.Magnitude > long.MaxValue / factor ? null : new ValueBounds(bounds.Min * factor, bounds.Max * factor);
    }
}

/// <summary>An operand of decimal arithmetic in 64 bits, with more digits behind the point.</summary>
internal sealed unsafe class Rescaled(TaskArena arena)
{
    private FlatVector? _flat;
    private long* _constant;
    private ColumnVector? _vector;
    private FlatVector? _low;

    /// <summary>The same values in 64 bits, if they lie in 128 and all fit; else the vector itself.</summary>
    public ColumnVector Narrow(ColumnVector vector, int rows, ulong* live)
    {
        if (vector.Type is not DecimalType { Physical: PhysicalType.Int128, Scale: <= DecimalType.MaxNarrowPrecision } type) return vector;
        if (BoundsOf.Vector(vector, rows, live) is not { } bounds || bounds.Max > long.MaxValue || bounds.Min < long.MinValue) return vector;
        _low ??= new FlatVector(arena, DataType.Decimal(DecimalType.MaxNarrowPrecision, type.Scale));
        var count = vector.Form == VectorForm.Constant ? 1 : rows;
        var (from, to) = ((nint)vector.Data, (nint)_low.Data);
        for (var i = 0; i < count; i++) ((long*)to)[i] = ((long*)from)[2 * i];
        var narrow = _low.Set(rows, false, bounds);
        narrow.Form = vector.Form;
        return narrow;
    }

    public ColumnVector Scale(ColumnVector vector, int digits, int rows)
    {
        if (digits == 0) return vector;
        var factor = (long)PowersOfTen.Of(digits);
        if (_constant == null) _constant = (long*)arena.Rent(128).Pointer;
        _vector ??= new ColumnVector(DataType.BigInt) { Form = VectorForm.Constant };
        _vector.Data = (byte*)_constant;
        if (vector.Form == VectorForm.Constant)
        {
            *_constant = *(long*)vector.Data * factor;
            return _vector;
        }
        _flat ??= new FlatVector(arena, DataType.BigInt);
        *_constant = factor;
        Arithmetic.Run<long, Multiply<long>>(vector, _vector, _flat.Data, rows);
        return _flat.Set(rows, false);
    }
}

/// <summary>Values in more bits.</summary>
internal static unsafe class Widen
{
    public static void Longs(long* from, Int128* to, int rows)
    {
        var halves = (long*)to;
        for (var i = 0; i < rows; i++)
        {
            halves[2 * i] = from[i];
            halves[(2 * i) + 1] = from[i] >> 63;
        }
    }
}
