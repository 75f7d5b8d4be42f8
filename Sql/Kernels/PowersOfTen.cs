using System.Numerics;

namespace Dataflow.Sql.Kernels;

/// <summary>Powers of ten, and rounding by them.</summary>
internal static class PowersOfTen
{
    private static readonly Int128[] Powers = Make();

    /// <summary>10^0 to 10^38.</summary>
    public static Int128 Of(int exponent) => Powers[exponent];

    /// <summary>Drops digits, rounding half away from zero.</summary>
    public static Int128 RoundHalfUp(Int128 value, int digits)
    {
        if (digits == 0) return value;
        if (digits > 38) return 0;
        var power = Powers[digits];
        var quotient = value / power;
        var rest = value - (quotient * power);
        if (rest < 0) rest = -rest;
        return rest >= power - rest ? quotient + (value < 0 ? -1 : 1) : quotient;
    }

    /// <summary>A quotient, rounding half away from zero.</summary>
    public static Int128 DivideHalfUp(Int128 value, Int128 divisor)
    {
        if (value >= long.MinValue && value <= long.MaxValue && divisor > int.MinValue && divisor <= long.MaxValue)
        {
            var (shortValue, shortDivisor) = ((long)value, (long)divisor);
            if (shortDivisor > 0)
            {
                var (whole, left) = Math.DivRem(shortValue, shortDivisor);
                var size = Math.Abs(left);
                return size >= shortDivisor - size ? (Int128)whole + (shortValue < 0 ? -1 : 1) : whole;
            }
        }
        var quotient = value / divisor;
        var rest = Int128.Abs(value - (quotient * divisor));
        var magnitude = Int128.Abs(divisor);
        return rest >= magnitude - rest ? quotient + ((value < 0) == (divisor < 0) ? 1 : -1) : quotient;
    }

    /// <summary>The same for values that 128 bits do not hold.</summary>
    public static BigInteger DivideHalfUp(BigInteger value, BigInteger divisor)
    {
        var quotient = BigInteger.DivRem(value, divisor, out var rest);
        return BigInteger.Abs(rest) * 2 >= BigInteger.Abs(divisor) ? quotient + ((value.Sign < 0) == (divisor.Sign < 0) ? 1 : -1) : quotient;
    }

    private static Int128[] Make()
    {
        var powers = new Int128[39];
        powers[0] = 1;
        for (var i = 1; i < powers.Length; i++) powers[i] = powers[i - 1] * 10;
        return powers;
    }
}
