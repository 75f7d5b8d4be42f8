using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Dataflow.MLlib.Data;

/// <summary>
/// Arrays of numbers in NumPy's file format, <c>.npy</c> version 1.0 (NEP 1): one or two dimensions, little-endian, in C order. What <c>numpy.save</c> writes and
/// <c>numpy.load</c> reads.
/// </summary>
public static partial class Npy
{
    /// <summary>Writes an array.</summary>
    /// <typeparam name="T">float, double, or an integer type.</typeparam>
    /// <param name="to">Where to.</param>
    /// <param name="values">The numbers, row by row.</param>
    /// <param name="columns">Numbers of a row; 0 for one dimension.</param>
    /// <exception cref="ArgumentException">The numbers do not make whole rows.</exception>
    public static void Write<T>(Stream to, ReadOnlySpan<T> values, int columns = 0) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        if (columns > 0 && values.Length % columns != 0) throw new ArgumentException($"{values.Length} numbers do not make rows of {columns}.", nameof(columns));
        var shape = columns == 0 ? $"({values.Length},)" : $"({values.Length / columns}, {columns})";
        var header = $"{{'descr': '{Descriptor<T>()}', 'fortran_order': False, 'shape': {shape}, }}";
        header = header.PadRight(((header.Length + 10 + 1 + 63) / 64 * 64) - 10 - 1) + '\n';
        Span<byte> start = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(start[8..], (ushort)header.Length);
        to.Write(start);
        to.Write(Encoding.ASCII.GetBytes(header));
        for (var at = 0; at < values.Length;)
        {
            var part = values.Slice(at, Math.Min(1 << 20, values.Length - at));
            to.Write(MemoryMarshal.AsBytes(part));
            at += part.Length;
        }
    }

    /// <summary>Reads an array whole.</summary>
    /// <typeparam name="T">The type of its numbers.</typeparam>
    /// <param name="path">The file.</param>
    /// <returns>The numbers row by row, and how many make a row (1 for one dimension).</returns>
    /// <exception cref="InvalidDataException">It is no such file, holds another type, or is cut short.</exception>
    public static (T[] Values, int Columns) Read<T>(string path) where T : unmanaged
    {
        using var file = File.OpenRead(path);
        var (type, rows, columns) = ReadHeader(file, path);
        if (type != Descriptor<T>()) throw new InvalidDataException($"'{path}' holds numbers of type '{type}', and '{Descriptor<T>()}' ({typeof(T).Name}) is expected.");
        if (rows * columns > Array.MaxLength) throw new InvalidDataException($"'{path}' has {rows} x {columns} numbers, more than an array can hold.");
        if (file.Length - file.Position < rows * columns * Unsafe.SizeOf<T>()) throw new InvalidDataException($"'{path}' is cut short: its header says {rows} x {columns} numbers.");
        var values = new T[rows * columns];
        for (var at = 0; at < values.Length;)
        {
            var part = MemoryMarshal.AsBytes(values.AsSpan(at, Math.Min(1 << 24, values.Length - at)));
            file.ReadExactly(part);
            at += part.Length / Unsafe.SizeOf<T>();
        }
        return (values, (int)columns);
    }

    /// <summary>Reads an array of whichever number type as another: integers and floats of 8 to 64 bits as float or double.</summary>
    /// <typeparam name="T">The type wanted.</typeparam>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">It is no such file, or of a type that is no number.</exception>
    public static (T[] Values, int Columns) ReadAs<T>(string path) where T : unmanaged, System.Numerics.INumberBase<T>
    {
        string type;
        using (var file = File.OpenRead(path)) type = ReadHeader(file, path).Type;
        return type switch
        {
            _ when type == Descriptor<T>() => Read<T>(path),
            "|u1" => Convert<byte>(),
            "|i1" => Convert<sbyte>(),
            "<i2" => Convert<short>(),
            "<u2" => Convert<ushort>(),
            "<i4" => Convert<int>(),
            "<u4" => Convert<uint>(),
            "<i8" => Convert<long>(),
            "<u8" => Convert<ulong>(),
            "<f4" => Convert<float>(),
            "<f8" => Convert<double>(),
            _ => throw new InvalidDataException($"'{path}' holds '{type}'. Numbers of 8 to 64 bits, little-endian, can be read."),
        };

        (T[], int) Convert<S>() where S : unmanaged, System.Numerics.INumberBase<S>
        {
            var (values, columns) = Read<S>(path);
            return (Array.ConvertAll(values, T.CreateTruncating), columns);
        }
    }

    /// <summary>Reads what stands before the numbers; the file is left where they begin.</summary>
    internal static (string Type, long Rows, long Columns) ReadHeader(Stream file, string path)
    {
        Span<byte> start = stackalloc byte[10];
        if (file.ReadAtLeast(start, 10, throwOnEndOfStream: false) < 10 || start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
            throw new InvalidDataException($"'{path}' is no .npy file: it does not begin as one.");
        if (start[6] is not (1 or 2)) throw new InvalidDataException($"'{path}' is of version {start[6]}.{start[7]} of the .npy format; 1.0 and 2.0 can be read.");
        int length = BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        if (start[6] == 2)
        {
            Span<byte> more = stackalloc byte[2];
            file.ReadExactly(more);
            length |= BinaryPrimitives.ReadUInt16LittleEndian(more) << 16;
        }
        if (length > 1 << 20 || length > file.Length - file.Position) throw new InvalidDataException($"The header of '{path}' is damaged: it says it has {length} bytes.");
        var bytes = new byte[length];
        file.ReadExactly(bytes);
        var header = Header().Match(Encoding.ASCII.GetString(bytes));
        if (!header.Success) throw new InvalidDataException($"The header of '{path}' is not one of a plain array of numbers: {Encoding.ASCII.GetString(bytes).Trim()}");
        if (header.Groups["order"].Value == "True" && header.Groups["b"].Success && header.Groups["b"].Length > 0)
            throw new InvalidDataException($"'{path}' is in Fortran order. Save it in C order: numpy.save(path, numpy.ascontiguousarray(a)).");
        return (header.Groups["type"].Value, Number("a", 1), Number("b", 1));

        long Number(string group, long otherwise) => header.Groups[group] is { Success: true, Length: > 0 } found
            ? long.TryParse(found.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= Array.MaxLength
                ? number
                : throw new InvalidDataException($"The shape in the header of '{path}' is too large: {found.Value}.")
            : otherwise;
    }

    private static string Descriptor<T>() where T : unmanaged => typeof(T) switch
    {
        var type when type == typeof(float) => "<f4",
        var type when type == typeof(double) => "<f8",
        var type when type == typeof(byte) => "|u1",
        var type when type == typeof(sbyte) => "|i1",
        var type when type == typeof(short) => "<i2",
        var type when type == typeof(ushort) => "<u2",
        var type when type == typeof(int) => "<i4",
        var type when type == typeof(uint) => "<u4",
        var type when type == typeof(long) => "<i8",
        var type when type == typeof(ulong) => "<u8",
        var type => throw new ArgumentException($"{type} has no type in the .npy format."),
    };

    [GeneratedRegex(@"^\{\s*'descr':\s*'(?<type>[^']+)',\s*'fortran_order':\s*(?<order>True|False)\s*,\s*'shape':\s*\(\s*(?<a>\d*)L?\s*,?\s*(?<b>\d*)L?\s*\),?\s*\}\s*$")]
    private static partial Regex Header();
}
