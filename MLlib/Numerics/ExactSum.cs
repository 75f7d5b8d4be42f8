using System.Numerics;

namespace Dataflow.MLlib.Numerics;

/// <summary>
/// A sum of doubles without any rounding until it is read: the order of the numbers, and how they were shared out among threads and machines, do not matter.
/// Metrics and initial scores use it, so that they have the same bits for any partitions.
/// </summary>
/// <remarks>
/// The whole range of doubles as digits of 32 bits in a fixed-point number of 2,176 bits (Kulisch 1986; the digits' headroom as in Neal 2015, section 3). About
/// 2 ns a number, 544 bytes an instance. Not safe to share between threads: one each, then <see cref="Merge"/>.
/// </remarks>
public sealed class ExactSum
{
    /// <summary>How many longs <see cref="Save"/> writes.</summary>
    public const int StateLength = Digits + 1;

    private const int Digits = 68;
    private const int AddsBeforeCarry = 1 << 29;
    private const long HasNaN = 1, HasPositiveInfinity = 2, HasNegativeInfinity = 4;

    // Digit i counts 2^(32 i - 1074). Each is signed with 31 bits to spare, so that carries can wait.
    private readonly long[] digits = new long[Digits];
    private int pending;
    private long specials;

    /// <summary>The sum, rounded once to the nearest double (ties to even). NaN and infinities give what IEEE 754 addition would.</summary>
    /// <remarks>About 100 ns.</remarks>
    public double Value
    {
        get
        {
            if (specials != 0)
            {
                if ((specials & HasNaN) != 0 || specials == (HasPositiveInfinity | HasNegativeInfinity)) return double.NaN;
                return specials == HasPositiveInfinity ? double.PositiveInfinity : double.NegativeInfinity;
            }
            Carry();
            Span<long> magnitude = stackalloc long[Digits];
            digits.CopyTo(magnitude);
            var negative = magnitude[^1] < 0;
            if (negative)
            {
                for (var i = 0; i < Digits; i++) magnitude[i] = -magnitude[i];
                Carry(magnitude);
            }
            var rounded = Round(magnitude);
            return negative ? -rounded : rounded;
        }
    }

    /// <summary>Adds one number.</summary>
    public void Add(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)(bits >> 52) & 0x7FF;
        if (exponent == 0x7FF)
        {
            specials |= double.IsNaN(value) ? HasNaN : value > 0 ? HasPositiveInfinity : HasNegativeInfinity;
            return;
        }
        AddFinite(bits, exponent);
        if (++pending >= AddsBeforeCarry) Carry();
    }

    /// <summary>Adds all numbers of a span.</summary>
    public void Add(ReadOnlySpan<double> values)
    {
        foreach (var value in values) Add(value);
    }

    /// <summary>Adds the product of two numbers without rounding it first. Products below 2^-1022 may lose their last bits.</summary>
    /// <remarks>For weighted sums. About twice the cost of <see cref="Add(double)"/>.</remarks>
    public void AddProduct(double a, double b)
    {
        var high = a * b;
        Add(high);
        if (!double.IsFinite(high)) return;

        // Dekker 1971: the halves of 26 bits multiply exactly; no fused operation, so that the bits are the same everywhere.
        var (aHigh, aLow) = Split(a);
        var (bHigh, bLow) = Split(b);
        var low = (((aHigh * bHigh) - high) + (aHigh * bLow) + (aLow * bHigh)) + (aLow * bLow);
        if (double.IsFinite(low)) Add(low);
    }

    /// <summary>Adds the product of three numbers without rounding it first, under the same condition.</summary>
    /// <remarks>For weighted sums of squares. About four times the cost of <see cref="Add(double)"/>.</remarks>
    public void AddProduct(double a, double b, double c)
    {
        var high = b * c;
        AddProduct(a, high);
        if (!double.IsFinite(high)) return;
        var (bHigh, bLow) = Split(b);
        var (cHigh, cLow) = Split(c);
        AddProduct(a, (((bHigh * cHigh) - high) + (bHigh * cLow) + (bLow * cHigh)) + (bLow * cLow));
    }

    /// <summary>Adds all that <paramref name="other"/> has added.</summary>
    public void Merge(ExactSum other)
    {
        ArgumentNullException.ThrowIfNull(other);
        other.Carry();
        Carry();
        for (var i = 0; i < Digits; i++) digits[i] += other.digits[i];
        specials |= other.specials;
        Carry(digits);
    }

    /// <summary>Writes the state, so that it can travel; <see cref="Load"/> reads it.</summary>
    public void Save(Span<long> state)
    {
        Carry();
        digits.CopyTo(state);
        state[Digits] = specials;
    }

    /// <summary>The sum that <see cref="Save"/> wrote.</summary>
    public static ExactSum Load(ReadOnlySpan<long> state)
    {
        if (state.Length < StateLength) throw new ArgumentException($"The state of an exact sum has {StateLength} numbers, not {state.Length}.", nameof(state));
        var sum = new ExactSum { specials = state[Digits] };
        state[..Digits].CopyTo(sum.digits);
        return sum;
    }

    private static (double High, double Low) Split(double value)
    {
        var high = BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(value) & ~0x7FFFFFFL);
        return (high, value - high);
    }

    private void AddFinite(long bits, int exponent)
    {
        var sign = bits >> 63;
        var mantissa = (ulong)bits & 0xFFFFFFFFFFFFF;
        if (exponent == 0) exponent = 1;
        else mantissa |= 1UL << 52;
        var place = exponent - 1;
        var shift = place & 31;
        var low = mantissa << shift;
        var high = (mantissa >> 1) >> (63 - shift);
        var digit = digits.AsSpan(place >> 5, 3);
        digit[0] += ((long)(uint)low ^ sign) - sign;
        digit[1] += ((long)(low >> 32) ^ sign) - sign;
        digit[2] += ((long)high ^ sign) - sign;
    }

    private void Carry()
    {
        if (pending == 0) return;
        Carry(digits);
        pending = 0;
    }

    private static void Carry(Span<long> digits)
    {
        var carry = 0L;
        for (var i = 0; i < Digits - 1; i++)
        {
            var digit = digits[i] + carry;
            carry = digit >> 32;
            digits[i] = (uint)digit;
        }
        digits[^1] += carry;
    }

    private static double Round(ReadOnlySpan<long> digits)
    {
        var top = Digits - 1;
        while (top > 0 && digits[top] == 0) top--;
        var highest = (top * 32) + 63 - BitOperations.LeadingZeroCount((ulong)digits[top]);
        if (highest <= 52) return BitConverter.UInt64BitsToDouble((ulong)digits[0] | ((ulong)digits[1] << 32));

        var shift = highest - 52;
        var mantissa = Bits(digits, shift, 53);
        var half = Bits(digits, shift - 1, 1);
        if (half != 0 && ((mantissa & 1) != 0 || AnyBelow(digits, shift - 1))) mantissa++;

        // The carry of rounding up to a power of two runs into the exponent by itself.
        return shift >= 2046 ? double.PositiveInfinity : BitConverter.UInt64BitsToDouble(((ulong)shift << 52) + mantissa);
    }

    private static ulong Bits(ReadOnlySpan<long> digits, int from, int count)
    {
        UInt128 window = 0;
        for (var i = 3; i >= 0; i--)
        {
            var digit = (from >> 5) + i;
            window = (window << 32) | (digit < Digits ? (uint)digits[digit] : 0);
        }
        return (ulong)(window >> (from & 31)) & ((1UL << count) - 1);
    }

    private static bool AnyBelow(ReadOnlySpan<long> digits, int place)
    {
        for (var i = 0; i < place >> 5; i++)
        {
            if (digits[i] != 0) return true;
        }
        return ((ulong)digits[place >> 5] & ((1UL << (place & 31)) - 1)) != 0;
    }
}
