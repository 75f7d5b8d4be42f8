using System.Net;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Dataflow.Hashing;

/// <summary>Adds one value to the state of a hash.</summary>
/// <param name="state">The state so far; see <see cref="Mixing"/>.</param>
/// <param name="value">The value; never null.</param>
internal delegate ulong HashStep<in T>(ulong state, T value);

/// <summary>The types of .NET whose equality is known here: each value is brought to the one form that all its equals share.</summary>
internal static class BuiltInHashes
{
    private static readonly Dictionary<Type, (Delegate Typed, HashStep<object> Boxed)> Steps = new[]
    {
        Step<bool>((state, value) => Mixing.Add(state, value ? 1u : 0u)),
        Step<byte>((state, value) => Mixing.Add(state, value)),
        Step<sbyte>((state, value) => Mixing.Add(state, (ulong)value)),
        Step<short>((state, value) => Mixing.Add(state, (ulong)value)),
        Step<ushort>((state, value) => Mixing.Add(state, value)),
        Step<char>((state, value) => Mixing.Add(state, value)),
        Step<int>((state, value) => Mixing.Add(state, (ulong)value)),
        Step<uint>((state, value) => Mixing.Add(state, value)),
        Step<long>((state, value) => Mixing.Add(state, (ulong)value)),
        Step<ulong>(Mixing.Add),
        Step<nint>((state, value) => Mixing.Add(state, (ulong)value)),
        Step<nuint>((state, value) => Mixing.Add(state, value)),
        Step<Int128>((state, value) => Mixing.Add(Mixing.Add(state, (ulong)value), (ulong)(value >> 64))),
        Step<UInt128>((state, value) => Mixing.Add(Mixing.Add(state, (ulong)value), (ulong)(value >> 64))),
        Step<Half>((state, value) => Mixing.Add(state, Bits((double)value))),
        Step<float>((state, value) => Mixing.Add(state, Bits(value))),
        Step<double>((state, value) => Mixing.Add(state, Bits(value))),
        Step<decimal>(AddDecimal),
        Step<Complex>((state, value) => Mixing.Add(Mixing.Add(state, Bits(value.Real)), Bits(value.Imaginary))),
        Step<BigInteger>(AddBigInteger),

        // DateTime compares ticks alone: two of different kinds are equal. DateTimeOffset compares instants.
        Step<DateTime>((state, value) => Mixing.Add(state, (ulong)value.Ticks)),
        Step<DateTimeOffset>((state, value) => Mixing.Add(state, (ulong)value.UtcTicks)),
        Step<TimeSpan>((state, value) => Mixing.Add(state, (ulong)value.Ticks)),
        Step<DateOnly>((state, value) => Mixing.Add(state, (ulong)value.DayNumber)),
        Step<TimeOnly>((state, value) => Mixing.Add(state, (ulong)value.Ticks)),

        Step<Guid>(AddGuid),
        Step<Rune>((state, value) => Mixing.Add(state, (ulong)value.Value)),
        Step<Index>((state, value) => AddIndex(state, value)),
        Step<Range>((state, value) => AddIndex(AddIndex(state, value.Start), value.End)),
        Step<ValueTuple>((state, _) => Mixing.Add(state, 0)),
        Step<string>((state, value) => Mixing.Add(state, TextHash.Of(value))),
        Step<Version>(AddVersion),
        Step<Uri>(AddUri),
        Step<IPAddress>(AddAddress),
    }.ToDictionary(step => step.Type, step => (step.Typed, step.Boxed));

    /// <summary>Whether the type is one of those here.</summary>
    public static bool Knows(Type type) => Steps.ContainsKey(type);

    /// <summary>The step of a known type.</summary>
    public static HashStep<T> StepOf<T>() => (HashStep<T>)Steps[typeof(T)].Typed;

    /// <summary>The step of a known type, over a boxed value.</summary>
    public static HashStep<object> BoxedStepOf(Type type) => Steps[type].Boxed;

    /// <summary>The bits of a floating-point number, with one zero and one NaN; floats and halves widen without loss.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Bits(double value) =>
        value == 0 ? 0 : double.IsNaN(value) ? 0x7FF8000000000000 : BitConverter.DoubleToUInt64Bits(value);

    private static (Type Type, Delegate Typed, HashStep<object> Boxed) Step<T>(HashStep<T> step) =>
        (typeof(T), step, (state, value) => step(state, (T)value));

    // 1.0 and 1.00 are equal: zeros at the end of the fraction are taken off until none is left.
    private static ulong AddDecimal(ulong state, decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        uint low = (uint)bits[0], middle = (uint)bits[1], high = (uint)bits[2];
        if ((low | middle | high) == 0)
            return Mixing.Add(Mixing.Add(state, 0), 0);

        var scale = (uint)bits[3] >> 16 & 0xFF;
        for (; scale > 0 && (low & 1) == 0; scale--)
        {
            var (first, rest) = Math.DivRem(high, 10u);
            var (second, rest2) = Math.DivRem((ulong)rest << 32 | middle, 10ul);
            var (third, rest3) = Math.DivRem(rest2 << 32 | low, 10ul);
            if (rest3 != 0)
                break;
            (high, middle, low) = (first, (uint)second, (uint)third);
        }
        return Mixing.Add(Mixing.Add(state, (ulong)middle << 32 | low), (ulong)((uint)bits[3] & 0x80000000 | scale) << 32 | high);
    }

    private static ulong AddBigInteger(ulong state, BigInteger value)
    {
        // Two's complement words, the lowest first; the last one carries the sign, so the count needs no part of its own beside it.
        var count = value.GetByteCount();
        var bytes = count <= 256 ? stackalloc byte[count] : new byte[count];
        value.TryWriteBytes(bytes, out _);
        state = Mixing.Add(state, (ulong)count);
        while (bytes.Length > 0)
        {
            ulong word = 0;
            var length = Math.Min(8, bytes.Length);
            for (var i = length - 1; i >= 0; i--) word = word << 8 | bytes[i];
            state = Mixing.Add(state, word);
            bytes = bytes[length..];
        }
        return state;
    }

    /// <summary>Adds the 16 bytes of a Guid.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong AddGuid(ulong state, Guid value)
    {
        if (BitConverter.IsLittleEndian)
        {
            var bits = Unsafe.BitCast<Guid, UInt128>(value);
            return Mixing.Add(Mixing.Add(state, (ulong)bits), (ulong)(bits >> 64));
        }
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes);
        return AddBytes(state, bytes);
    }

    private static ulong AddIndex(ulong state, Index value) => Mixing.Add(state, (ulong)(value.IsFromEnd ? ~value.Value : value.Value));

    private static ulong AddVersion(ulong state, Version value) =>
        Mixing.Add(Mixing.Add(state, (ulong)(uint)value.Major << 32 | (uint)value.Minor), (ulong)(uint)value.Build << 32 | (uint)value.Revision);

    // Uri compares addresses without user and fragment, in part without case: whatever it calls equal is equal in this form too.
    private static ulong AddUri(ulong state, Uri value) =>
        Mixing.Add(state, TextHash.Of(value.IsAbsoluteUri
            ? value.GetComponents(UriComponents.HttpRequestUrl, UriFormat.SafeUnescaped).ToUpperInvariant()
            : value.OriginalString));

    private static ulong AddAddress(ulong state, IPAddress value)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        value.TryWriteBytes(bytes, out var count);
        return Mixing.Add(AddBytes(state, bytes), count == 4 ? ulong.MaxValue : (ulong)value.ScopeId);
    }

    private static ulong AddBytes(ulong state, ReadOnlySpan<byte> sixteen) => Mixing.Add(
        Mixing.Add(state, System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(sixteen)),
        System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(sixteen[8..]));
}
