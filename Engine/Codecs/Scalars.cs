using System.Net;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>
/// Single values with a format of their own: not every bit pattern is one, or their length varies. Reading checks what it makes.
/// </summary>
/// <remarks>The methods are called by compiled codecs in place, and through <see cref="ScalarCodec{T}"/> where a codec object is
/// needed.</remarks>
internal static class Scalars
{
    // .NET's own limit, in bytes.
    private const int LongestBigInteger = 268_435_448;

    private static readonly Dictionary<Type, Scalar> Known = Table(
        new Scalar(
            typeof(string),
            typeof(BlockWriter).GetMethod(nameof(BlockWriter.WriteString))!,
            typeof(BlockReader).GetMethod(nameof(BlockReader.ReadString))!),
        Pair(typeof(bool), nameof(WriteBool), nameof(ReadBool)),
        Pair(typeof(decimal), nameof(WriteDecimal), nameof(ReadDecimal)),
        Pair(typeof(DateTime), nameof(WriteDateTime), nameof(ReadDateTime)),
        Pair(typeof(DateTimeOffset), nameof(WriteDateTimeOffset), nameof(ReadDateTimeOffset)),
        Pair(typeof(DateOnly), nameof(WriteDateOnly), nameof(ReadDateOnly)),
        Pair(typeof(TimeOnly), nameof(WriteTimeOnly), nameof(ReadTimeOnly)),
        Pair(typeof(BigInteger), nameof(WriteBigInteger), nameof(ReadBigInteger)),
        Pair(typeof(Uri), nameof(WriteUri), nameof(ReadUri)),
        Pair(typeof(Version), nameof(WriteVersion), nameof(ReadVersion)),
        Pair(typeof(IPAddress), nameof(WriteAddress), nameof(ReadAddress)));

    /// <summary>The types that any open member may hold: these, and the numbers that lie in memory as they are.</summary>
    public static IEnumerable<Type> AllTypes => Known.Keys.Concat(
    [
        typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong), typeof(char),
        typeof(float), typeof(double), typeof(Half), typeof(Int128), typeof(UInt128), typeof(Guid), typeof(TimeSpan),
    ]);

    /// <summary>How a type is written and read; null if it is no scalar.</summary>
    public static Scalar? Find(Type type) => Known.GetValueOrDefault(type);

    public static void WriteBool(BlockWriter writer, bool value) => writer.WriteRaw(value ? (byte)1 : (byte)0);

    public static bool ReadBool(ref BlockReader reader) => reader.ReadByte() switch
    {
        0 => false,
        1 => true,
        var other => throw Wrong<bool>(other),
    };

    public static void WriteDecimal(BlockWriter writer, decimal value) => writer.WriteRaw(value);

    public static decimal ReadDecimal(ref BlockReader reader)
    {
        // Sign in the highest bit, a scale of at most 28 in the third byte; anything else would confuse arithmetic later.
        var value = reader.ReadRaw<decimal>();
        var flags = Unsafe.As<decimal, uint>(ref value);
        if ((flags & 0x7F00_FFFF) != 0 || (flags >> 16 & 0xFF) > 28) throw Wrong<decimal>(flags);
        return value;
    }

    public static void WriteDateTime(BlockWriter writer, DateTime value) => writer.WriteRaw(value);

    public static DateTime ReadDateTime(ref BlockReader reader)
    {
        // Ticks in the low 62 bits, the kind (and which side of a clock change) in the others: both are kept exactly.
        var value = reader.ReadRaw<ulong>();
        if ((value & 0x3FFF_FFFF_FFFF_FFFF) > (ulong)DateTime.MaxValue.Ticks) throw Wrong<DateTime>(value);
        return Unsafe.BitCast<ulong, DateTime>(value);
    }

    public static void WriteDateTimeOffset(BlockWriter writer, DateTimeOffset value)
    {
        writer.WriteRaw(value.Ticks);
        writer.WriteRaw((short)value.TotalOffsetMinutes);
    }

    public static DateTimeOffset ReadDateTimeOffset(ref BlockReader reader)
    {
        var ticks = reader.ReadRaw<long>();
        var minutes = reader.ReadRaw<short>();
        var utc = ticks - minutes * TimeSpan.TicksPerMinute;
        if ((ulong)ticks > (ulong)DateTime.MaxValue.Ticks || (ulong)utc > (ulong)DateTime.MaxValue.Ticks || minutes is < -840 or > 840)
            throw Wrong<DateTimeOffset>($"{ticks} ticks at {minutes} minutes");
        return new DateTimeOffset(ticks, new TimeSpan(minutes * TimeSpan.TicksPerMinute));
    }

    public static void WriteDateOnly(BlockWriter writer, DateOnly value) => writer.WriteRaw(value.DayNumber);

    public static DateOnly ReadDateOnly(ref BlockReader reader)
    {
        var day = reader.ReadRaw<int>();
        return (uint)day <= (uint)DateOnly.MaxValue.DayNumber ? DateOnly.FromDayNumber(day) : throw Wrong<DateOnly>(day);
    }

    public static void WriteTimeOnly(BlockWriter writer, TimeOnly value) => writer.WriteRaw(value.Ticks);

    public static TimeOnly ReadTimeOnly(ref BlockReader reader)
    {
        var ticks = reader.ReadRaw<long>();
        return (ulong)ticks < TimeSpan.TicksPerDay ? new TimeOnly(ticks) : throw Wrong<TimeOnly>(ticks);
    }

    public static void WriteBigInteger(BlockWriter writer, BigInteger value)
    {
        var count = value.GetByteCount();
        writer.WriteCount(count);
        value.TryWriteBytes(writer.GetSpan(count), out var written);
        writer.Advance(written);
    }

    public static BigInteger ReadBigInteger(ref BlockReader reader)
    {
        var count = reader.ReadCount();
        return count is > 0 and <= LongestBigInteger ? new BigInteger(reader.ReadBytes(count)) : throw Wrong<BigInteger>($"{count} bytes");
    }

    // As it was given, since parsing again gives the same; absolute or not decides how to parse.
    public static void WriteUri(BlockWriter writer, Uri? value)
    {
        writer.WriteByte(value is null ? (byte)0 : value.IsAbsoluteUri ? (byte)1 : (byte)2);
        if (value is not null) writer.WriteString(value.OriginalString);
    }

    public static Uri? ReadUri(ref BlockReader reader)
    {
        var kind = reader.ReadByte();
        if (kind == 0)
            return null;
        var text = reader.ReadString();
        return kind <= 2 && Uri.TryCreate(text, kind == 1 ? UriKind.Absolute : UriKind.Relative, out var value) ? value : throw Wrong<Uri>(text);
    }

    public static void WriteVersion(BlockWriter writer, Version? value)
    {
        // How many parts it has, from two to four: 1.2 and 1.2.0 differ.
        var parts = value is null ? 0 : value.Revision >= 0 ? 4 : value.Build >= 0 ? 3 : 2;
        writer.WriteByte((byte)parts);
        if (value is null) return;
        writer.WriteVarUInt((uint)value.Major);
        writer.WriteVarUInt((uint)value.Minor);
        if (parts > 2) writer.WriteVarUInt((uint)value.Build);
        if (parts > 3) writer.WriteVarUInt((uint)value.Revision);
    }

    public static Version? ReadVersion(ref BlockReader reader)
    {
        switch (reader.ReadByte())
        {
            case 0: return null;
            case 2: return new Version(Part(ref reader), Part(ref reader));
            case 3: return new Version(Part(ref reader), Part(ref reader), Part(ref reader));
            case 4: return new Version(Part(ref reader), Part(ref reader), Part(ref reader), Part(ref reader));
            case var other: throw Wrong<Version>($"{other} parts");
        }

        static int Part(ref BlockReader reader)
        {
            var part = reader.ReadVarUInt();
            return part <= int.MaxValue ? (int)part : throw Wrong<Version>(part);
        }
    }

    // Its length, its bytes and, of a long one, the scope: a number of 32 bits.
    public static void WriteAddress(BlockWriter writer, IPAddress? value)
    {
        Span<byte> bytes = stackalloc byte[16];
        var count = 0;
        value?.TryWriteBytes(bytes, out count);
        writer.WriteByte((byte)count);
        writer.WriteBytes(bytes[..count]);
        if (count == 16) writer.WriteVarUInt((uint)value!.ScopeId);
    }

    public static IPAddress? ReadAddress(ref BlockReader reader) => reader.ReadByte() switch
    {
        0 => null,
        4 => new IPAddress(reader.ReadBytes(4)),
        16 => new IPAddress(reader.ReadBytes(16), reader.ReadVarUInt()),
        var other => throw Wrong<IPAddress>($"{other} bytes"),
    };

    private static CorruptDataException Wrong<T>(object? found) => new($"The data holds no {TypeNames.Short(typeof(T))}: {found}.");

    private static Scalar Pair(Type type, string write, string read) =>
        new(type, typeof(Scalars).GetMethod(write)!, typeof(Scalars).GetMethod(read)!);

    private static Dictionary<Type, Scalar> Table(params Scalar[] scalars)
    {
        var table = new Dictionary<Type, Scalar>();
        foreach (var scalar in scalars) table.Add(scalar.Type, scalar);
        return table;
    }
}

/// <summary>A scalar type with the methods that write and read it.</summary>
/// <param name="Type">The type.</param>
/// <param name="Write">Takes the writer and the value.</param>
/// <param name="Read">Takes the reader by reference, gives the value.</param>
internal sealed record Scalar(Type Type, MethodInfo Write, MethodInfo Read);

/// <summary>A scalar as a codec object.</summary>
internal sealed class ScalarCodec<T>(TypeShape shape) : ShapedCodec<T>(shape)
{
    // Written as they lie in memory, so many at once; only reading looks at each.
    private static readonly bool IsMemory = default(T) is decimal or DateTime or DateOnly or TimeOnly;

    private readonly WriteOne _write = Scalars.Find(typeof(T))!.Write.CreateDelegate<WriteOne>();
    private readonly ReadOne _read = Scalars.Find(typeof(T))!.Read.CreateDelegate<ReadOne>();

    private delegate void WriteOne(BlockWriter writer, T item);

    private delegate T ReadOne(ref BlockReader reader);

    internal override void WriteItem(BlockWriter writer, T item) => _write(writer, item);

    internal override T ReadItem(ref BlockReader reader) => _read(ref reader);

    internal override void WriteItems(BlockWriter writer, ReadOnlySpan<T> items)
    {
        if (IsMemory)
            writer.WriteBytes(BlitMemory.Of(items));
        else
            base.WriteItems(writer, items);
    }
}

/// <summary>Strings as UTF-8 behind their length.</summary>
internal sealed class StringCodec(TypeShape shape) : ShapedCodec<string?>(shape)
{
    internal override void WriteItem(BlockWriter writer, string? item) => writer.WriteString(item);

    internal override string? ReadItem(ref BlockReader reader) => reader.ReadString();

    internal override void WriteItems(BlockWriter writer, ReadOnlySpan<string?> items)
    {
        foreach (var item in items) writer.WriteString(item);
    }

    internal override void ReadItems(ref BlockReader reader, Span<string?> items)
    {
        for (var i = 0; i < items.Length; i++) items[i] = reader.ReadString();
    }
}
