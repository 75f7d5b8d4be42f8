using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dataflow.Sorting;

/// <summary>A key that knows its first eight bytes in sorting order, so that most comparisons are of two numbers.</summary>
/// <remarks>If a comes before b, a's prefix is not greater than b's. Equal prefixes are decided by <see cref="IComparable{T}"/>.</remarks>
public interface ISortPrefix
{
    /// <summary>The first eight bytes of the key in sorting order, the first byte highest.</summary>
    ulong SortPrefix { get; }
}

/// <summary>Turns keys into 64 bits that sort like them.</summary>
/// <typeparam name="TKey">The key type.</typeparam>
internal static class SortPrefix<TKey>
{
    /// <summary>The prefix of a key; null if none is known for the type.</summary>
    public static Func<TKey, ulong>? Of { get; }

    /// <summary>Whether keys with equal prefixes are equal.</summary>
    public static bool IsExact { get; }

    static SortPrefix()
    {
        var (prefix, exact) = Find(typeof(TKey));
        Of = (Func<TKey, ulong>?)prefix;
        IsExact = exact;
    }

    private static (Delegate? Prefix, bool Exact) Find(Type type) => Type.GetTypeCode(type) switch
    {
        _ when type.IsEnum => (null, false),
        TypeCode.Boolean => ((bool key) => key ? 1UL : 0UL, true),
        TypeCode.Byte => ((byte key) => (ulong)key, true),
        TypeCode.SByte => ((sbyte key) => Signed(key), true),
        TypeCode.Char => ((char key) => (ulong)key, true),
        TypeCode.Int16 => ((short key) => Signed(key), true),
        TypeCode.UInt16 => ((ushort key) => (ulong)key, true),
        TypeCode.Int32 => ((int key) => Signed(key), true),
        TypeCode.UInt32 => ((uint key) => (ulong)key, true),
        TypeCode.Int64 => ((long key) => Signed(key), true),
        TypeCode.UInt64 => ((ulong key) => key, true),
        TypeCode.Single => ((float key) => Floating(key), true),
        TypeCode.Double => ((double key) => Floating(key), true),
        TypeCode.DateTime => ((DateTime key) => (ulong)key.Ticks, true),
        TypeCode.String => ((string? key) => Text(key), false),
        _ when type == typeof(TimeSpan) => ((TimeSpan key) => Signed(key.Ticks), true),
        _ when type == typeof(DateOnly) => ((DateOnly key) => (ulong)key.DayNumber, true),
        _ when type == typeof(TimeOnly) => ((TimeOnly key) => (ulong)key.Ticks, true),
        _ when type == typeof(DateTimeOffset) => ((DateTimeOffset key) => (ulong)key.UtcTicks, true),
        _ when typeof(ISortPrefix).IsAssignableFrom(type) => (OfInterface(type), false),
        _ => (null, false),
    };

    private static ulong Signed(long key) => (ulong)key ^ (1UL << 63);

    // NaN comes first and the zeros are equal, as double.CompareTo has it.
    private static ulong Floating(double key)
    {
        if (double.IsNaN(key)) return 0;
        var bits = BitConverter.DoubleToInt64Bits(key == 0 ? 0.0 : key);
        return bits < 0 ? ~(ulong)bits : (ulong)bits | (1UL << 63);
    }

    // Null sorts before the empty string; both have prefix 0, so the comparer decides.
    private static ulong Text(string? key)
    {
        if (key is null) return 0;
        if (key.Length >= 4)
        {
            var chars = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<char, byte>(ref MemoryMarshal.GetReference(key.AsSpan())));
            if (!BitConverter.IsLittleEndian) return chars;
            // Four little-endian characters: reverse all bytes, then swap the two bytes of each character back in place.
            chars = (chars << 32) | (chars >> 32);
            return ((chars & 0x0000FFFF0000FFFFUL) << 16) | ((chars >> 16) & 0x0000FFFF0000FFFFUL);
        }
        var prefix = 0UL;
        for (var i = 0; i < 4; i++) prefix = (prefix << 16) | (i < key.Length ? key[i] : 0UL);
        return prefix;
    }

    private static Delegate? OfInterface(Type type) => typeof(SortPrefix<TKey>)
        .GetMethod(nameof(OfSortPrefix), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
        .MakeGenericMethod(type).CreateDelegate(typeof(Func<,>).MakeGenericType(type, typeof(ulong)));

    private static ulong OfSortPrefix<T>(T key)
        where T : ISortPrefix => key is null ? 0 : key.SortPrefix;
}
