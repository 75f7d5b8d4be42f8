using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Tests.Kernels;

/// <summary>Random columns of any type, with the values at which loops go wrong.</summary>
internal static class RandomValues
{
    public static readonly int[] Lengths = [1, 7, 63, 64, 65, 130, 1000];

    public static object Of(Random random, DataType type)
    {
        var isEdge = random.Next(8) == 0;
        switch (type.Kind)
        {
            case TypeKind.Boolean: return random.Next(2) == 0;
            case TypeKind.TinyInt: return isEdge ? Pick(random, sbyte.MinValue, sbyte.MaxValue, (sbyte)0, (sbyte)-1) : (sbyte)random.Next(-8, 8);
            case TypeKind.SmallInt: return isEdge ? Pick(random, short.MinValue, short.MaxValue, (short)0, (short)-1) : (short)random.Next(-100, 100);
            case TypeKind.Int or TypeKind.Date: return isEdge ? Pick(random, int.MinValue, int.MaxValue, 0, -1) : random.Next(-20, 20);
            case TypeKind.BigInt: return isEdge ? Pick(random, long.MinValue, long.MaxValue, 0L, -1L, 1L << 32) : random.NextInt64(-20, 20);
            case TypeKind.Float: return isEdge ? Pick(random, float.NaN, float.PositiveInfinity, -0f, 0f, float.MinValue) : random.Next(-5, 5) / 2f;
            case TypeKind.Double: return isEdge ? Pick(random, double.NaN, double.NegativeInfinity, -0.0, 0.0, double.MaxValue) : random.Next(-5, 5) / 2.0;
            case TypeKind.String: return isEdge ? Pick(random, "", "a text that is longer than twelve", "a text that is longer than thirteen", "é漢") : "a" + random.Next(10);
            default:
                var precision = ((DecimalType)type).Precision;
                var limit = Power(precision);
                return isEdge ? Pick(random, limit - 1, 1 - limit, (Int128)0) : (Int128)random.NextInt64(-(long)Int128.Min(limit - 1, 1000), (long)Int128.Min(limit, 1000));
        }
    }

    public static object?[] Column(Random random, DataType type, int rows, int nullsIn = 6) =>
        [.. Enumerable.Range(0, rows).Select(_ => nullsIn > 0 && random.Next(nullsIn) == 0 ? null : Of(random, type))];

    public static bool[] Mask(Random random, int rows)
    {
        var share = random.Next(4);
        return share == 0 ? [] : [.. Enumerable.Range(0, rows).Select(_ => random.Next(4) < share)];
    }

    /// <summary>Order of values as SQL has it.</summary>
    public static int Compare(object left, object right) => (left, right) switch
    {
        (string a, string b) => a.EnumerateRunes().Select(rune => rune.Value).Zip(b.EnumerateRunes().Select(rune => rune.Value))
            .Select(pair => pair.First.CompareTo(pair.Second)).FirstOrDefault(order => order != 0, a.Length.CompareTo(b.Length)),
        (double a, double b) => double.IsNaN(a) ? double.IsNaN(b) ? 0 : 1 : double.IsNaN(b) ? -1 : a < b ? -1 : a > b ? 1 : 0,
        (float a, float b) => Compare((double)a, (double)b),
        _ => ((IComparable)left).CompareTo(right),
    };

    /// <summary>A column in one of the forms there are: flat, coded, or one value for all.</summary>
    public static (ColumnReference Column, object?[] Values) Add(KernelRig rig, Random random, string name, DataType type, int rows)
    {
        switch (type.Kind == TypeKind.Boolean ? 0 : random.Next(4))
        {
            case 1:
                var values = Enumerable.Range(0, random.Next(1, 20)).Select(_ => Of(random, type)).ToArray();
                var codes = Enumerable.Range(0, rows).Select(_ => random.Next(6) == 0 ? (int?)null : random.Next(values.Length)).ToArray();
                return (rig.Coded(name, type, values, codes), [.. codes.Select(code => code is null ? null : values[code.Value])]);
            case 2:
                var value = random.Next(10) == 0 ? null : Of(random, type);
                rig.SetRows(rows);
                return (rig.Constant(name, type, value), [.. Enumerable.Repeat(value, rows)]);
            default:
                var column = Column(random, type, rows, random.Next(2) * 6);
                return (rig.Column(name, type, column), column);
        }
    }

    public static Int128 Power(int exponent)
    {
        Int128 power = 1;
        for (; exponent > 0; exponent--) power *= 10;
        return power;
    }

    private static object Pick<T>(Random random, params T[] values) => values[random.Next(values.Length)]!;
}
