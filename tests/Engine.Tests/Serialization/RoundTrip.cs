using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Text;
using Dataflow.Codecs;
using Dataflow.Serialization;

namespace Dataflow.Engine.Tests.Serialization;

/// <summary>Writes and reads values with compiled codecs and with reflected ones, which must agree on every byte.</summary>
internal static class RoundTrip
{
    internal static readonly CodecSet Compiled = new(compiles: true), Reflected = new(compiles: false);

    /// <summary>The values, written and read back four ways, must look as before; gives the bytes.</summary>
    public static byte[] Of<T>(params T[] values)
    {
        var (compiled, reflected) = (Compiled.For<T>(), Reflected.For<T>());
        Assert.Equal(compiled.Schema, reflected.Schema);
        Assert.Equal(compiled.SchemaHash, reflected.SchemaHash);

        var bytes = Write(compiled, values);
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(Write(reflected, values)));

        var expected = string.Join("\n", values.Select(value => Show(value)));
        Assert.Equal(expected, string.Join("\n", Read(compiled, bytes, values.Length).Select(value => Show(value))));
        Assert.Equal(expected, string.Join("\n", Read(reflected, bytes, values.Length).Select(value => Show(value))));
        Assert.True(values.Length <= bytes.Length, $"{values.Length} elements of {typeof(T)} took {bytes.Length} bytes");
        return bytes;
    }

    public static byte[] Write<T>(Codec<T> codec, ReadOnlySpan<T> values)
    {
        using var writer = new BlockWriter(0);
        codec.Write(writer, values);
        return writer.Written.ToArray();
    }

    public static T[] Read<T>(Codec<T> codec, byte[] bytes, int count)
    {
        var reader = new BlockReader(bytes);
        var values = new T[count];
        codec.Read(ref reader, values);
        Assert.Equal(0, reader.Remaining);
        return values;
    }

    /// <summary>A value with all it holds, as text: types, bits of numbers, fields of any access, elements in order.</summary>
    public static string Show(object? value)
    {
        var text = new StringBuilder();
        Show(text, value, 0);
        return text.ToString();
    }

    private static void Show(StringBuilder text, object? value, int depth)
    {
        if (value is null)
        {
            text.Append("null");
            return;
        }
        var type = value.GetType();
        text.Append(type.Name).Append(' ');
        switch (value)
        {
            case string s: text.Append(string.Join(",", s.Select(c => ((int)c).ToString("x")))); break;
            case float f: text.Append(BitConverter.SingleToInt32Bits(f)); break;
            case double d: text.Append(BitConverter.DoubleToInt64Bits(d)); break;
            case Half h: text.Append(BitConverter.HalfToInt16Bits(h)); break;
            case decimal m: text.Append(string.Join(",", decimal.GetBits(m))); break;
            case DateTime t: text.Append(t.ToBinary()).Append(t.Kind); break;
            case DateTimeOffset o: text.Append(o.Ticks).Append(o.Offset); break;
            case TimeSpan or DateOnly or TimeOnly or Guid or BigInteger or Int128 or UInt128 or Version or System.Net.IPAddress:
                text.Append(((IFormattable)value).ToString(value is TimeOnly or DateOnly ? "O" : null, CultureInfo.InvariantCulture));
                break;
            case Uri u: text.Append(u.OriginalString).Append(u.IsAbsoluteUri); break;
            case char c: text.Append((int)c); break;
            case Array { Rank: > 1 } grid:
                for (var i = 0; i < grid.Rank; i++) text.Append(grid.GetLength(i)).Append('x');
                Items(text, grid, depth);
                break;
            case IEnumerable items when type.IsArray || type.Namespace?.StartsWith("System.Collections", StringComparison.Ordinal) == true:
                if (type.Name == "ImmutableArray`1" && (bool)type.GetProperty("IsDefault")!.GetValue(value)!) text.Append("default");
                else Items(text, items, depth);
                break;
            case var _ when type.IsGenericType && type.Name is "Memory`1" or "ReadOnlyMemory`1":
                Items(text, (IEnumerable)type.GetMethod("ToArray")!.Invoke(value, null)!, depth);
                break;
            case var _ when type.IsPrimitive || type.IsEnum: text.Append(value); break;
            default:
                Assert.True(depth < 600, "too deep to show");
                text.Append('{');
                for (var declaring = type; declaring is not null; declaring = declaring.BaseType)
                    foreach (var field in declaring.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                    {
                        text.Append(field.Name).Append('=');
                        Show(text, field.GetValue(value), depth + 1);
                        text.Append(' ');
                    }
                text.Append('}');
                break;
        }
    }

    private static void Items(StringBuilder text, IEnumerable items, int depth)
    {
        text.Append('[');
        foreach (var item in items)
        {
            Show(text, item, depth + 1);
            text.Append("; ");
        }
        text.Append(']');
    }
}
