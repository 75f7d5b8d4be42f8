using System.Security.Cryptography;
using System.Text;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Digests and encodings of bytes.</summary>
internal static class HashFunctions
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new SparkHashFunction("hash"));
        registry.Add(new SparkHashFunction("xxhash64"));
#pragma warning disable CA5350, CA5351 // They are asked for by name.
        registry.Add(new RowFunction("md5", "md5(bytes)", "The MD5 digest in hexadecimal digits.", [DataType.Binary], DataType.String,
            static row => row.Return(Convert.ToHexStringLower(MD5.HashData(row.Text(0))))));
        registry.Add(new RowFunction("sha1", "sha1(bytes)", "The SHA-1 digest in hexadecimal digits.", [DataType.Binary], DataType.String,
            static row => row.Return(Convert.ToHexStringLower(SHA1.HashData(row.Text(0))))) { Also = ["sha"] });
#pragma warning restore CA5350, CA5351
        registry.Add(new RowFunction("sha2", "sha2(bytes, bits)", "The SHA-2 digest of 224, 256 (or 0), 384 or 512 bits in hexadecimal digits; null for other lengths.",
            [DataType.Binary, DataType.Int], DataType.String, Sha2) { MakesNulls = true });
        registry.Add(new RowFunction("crc32", "crc32(bytes)", "The CRC-32 check sum.", [DataType.Binary], DataType.BigInt, static row => row.Return((long)Crc(row.Text(0)))));
        registry.Add(new RowFunction("base64", "base64(bytes)", "The bytes in base 64.", [DataType.Binary], DataType.String, static row => row.Return(Convert.ToBase64String(row.Text(0)))));
        registry.Add(new RowFunction("unbase64", "unbase64(text)", "The bytes that a text in base 64 stands for.", [DataType.String], DataType.Binary, Unbase64) { Fails = true });
    }

    private static void Sha2(RowEvaluator row)
    {
        var bytes = row.Text(0);
        switch (row.Int(1))
        {
            case 0 or 256: row.Return(Convert.ToHexStringLower(SHA256.HashData(bytes))); break;
            case 224: row.Return(Convert.ToHexStringLower(Sha224.Of(bytes))); break;
            case 384: row.Return(Convert.ToHexStringLower(SHA384.HashData(bytes))); break;
            case 512: row.Return(Convert.ToHexStringLower(SHA512.HashData(bytes))); break;
            default: row.ReturnNull(); break;
        }
    }

    // CRC-32 (IEEE 802.3), a byte at a time.
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var each in bytes) crc = CrcTable[(byte)(crc ^ each)] ^ (crc >> 8);
        return ~crc;
    }

    private static readonly uint[] CrcTable = [.. Enumerable.Range(0, 256).Select(i =>
    {
        var value = (uint)i;
        for (var bit = 0; bit < 8; bit++) value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320 : value >> 1;
        return value;
    })];

    private static void Unbase64(RowEvaluator row)
    {
        var text = Encoding.UTF8.GetString(row.Text(0));
        try
        {
            row.Return(Convert.FromBase64String(text).AsSpan());
        }
        catch (FormatException)
        {
            throw row.Error("CONVERSION_INVALID_INPUT", $"'{text}' is no text in base 64.");
        }
    }
}

/// <summary><c>hash</c> (MurmurHash3, seed 42) and <c>xxhash64</c> (seed 42).</summary>
internal sealed class SparkHashFunction(string name) : ScalarFunction(name)
{
    private bool IsLong => Name == "xxhash64";

    public override string Usage => $"{Name}(value[, value ...])";

    public override string Summary => $"The {(IsLong ? "64-bit xxHash" : "32-bit MurmurHash3")} of the values, the same as Spark's; nulls leave it as it is.";

    public override bool IsNullable(ValueList<Expression> arguments) => false;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count > 0 && arguments.All(argument => ComparisonFunction.IsComparable(argument.Type))
            ? new Signature(arguments.ConvertAll(argument => argument.Type), IsLong ? DataType.BigInt : DataType.Int)
            : null;

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new HashEvaluator(IsLong, arguments, context);
}
