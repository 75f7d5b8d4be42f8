using System.Globalization;
using Dataflow.Sql.Expressions;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

public sealed class CastTests
{
    [Theory]
    [InlineData(" 12 ", "int", "12")]
    [InlineData("-9223372036854775808", "bigint", "-9223372036854775808")]
    [InlineData("9223372036854775808", "bigint", null)]
    [InlineData("128", "tinyint", null)]
    [InlineData("1.5", "int", null)]
    [InlineData("", "int", null)]
    [InlineData("1.5e2", "double", "150.0")]
    [InlineData("inf", "double", "Infinity")]
    [InlineData("x", "double", null)]
    [InlineData("12.345", "decimal(5,2)", "12.35")]
    [InlineData("-0.005", "decimal(5,2)", "-0.01")]
    [InlineData("1000", "decimal(5,2)", null)]
    [InlineData("1e2", "decimal(5,2)", "100.00")]
    [InlineData("99999999999999999999999999999999999999", "decimal(38,0)", "99999999999999999999999999999999999999")]
    [InlineData("999999999999999999999999999999999999999", "decimal(38,0)", null)]
    [InlineData("yes", "boolean", "true")]
    [InlineData("F", "boolean", "false")]
    [InlineData("maybe", "boolean", null)]
    [InlineData("1998-9-2", "date", "1998-09-02")]
    [InlineData("1998-09-02 11:12:13", "date", "1998-09-02")]
    [InlineData("1998-02-29", "date", null)]
    [InlineData("2024-02-29T10:20:30.123", "timestamp_ntz", "2024-02-29 10:20:30.123")]
    [InlineData("2024-02-29 10:20:30+02:00", "timestamp", "2024-02-29 08:20:30")]
    [InlineData("2024-02-29 25:00", "timestamp", null)]
    public void Text_is_read_as_Spark_reads_it(string text, string type, string? expected)
    {
        using var rig = new KernelRig();
        var column = rig.Column("t", DataType.String, text, null);
        var cast = new Cast(column, TypeOf(type));
        Assert.Equal([expected, null], rig.Evaluate(new Cast(new Cast(column, TypeOf(type), IsTry: true), DataType.String)));
        if (expected is null) Assert.Contains(text, Assert.Throws<QueryException>(() => rig.Evaluate(cast)).Message);
        else Assert.Equal(expected, rig.Evaluate(new Cast(cast, DataType.String))[0]);
    }

    [Theory]
    [InlineData(1.0, "1.0")]
    [InlineData(-0.5, "-0.5")]
    [InlineData(0.001, "0.001")]
    [InlineData(0.0001, "1.0E-4")]
    [InlineData(1234567.0, "1234567.0")]
    [InlineData(12345678.0, "1.2345678E7")]
    [InlineData(1e22, "1.0E22")]
    [InlineData(double.NaN, "NaN")]
    public void Doubles_are_written_as_Spark_writes_them(double value, string expected)
    {
        using var rig = new KernelRig();
        Assert.Equal(expected, rig.One(new Cast(Value(value, DataType.Double), DataType.String)));
    }

    [Fact]
    public void Numbers_become_others_if_they_fit()
    {
        using var rig = new KernelRig();
        var number = rig.Column("d", DataType.Double, 2.5, -2.5, 300.9, null);
        Assert.Equal([2, -2, 300, null], rig.Evaluate(new Cast(number, DataType.Int)));
        Assert.Equal("CAST_OVERFLOW", Assert.Throws<QueryException>(() => rig.Evaluate(new Cast(number, DataType.TinyInt))).ErrorClass);
        Assert.Equal([(sbyte)2, (sbyte)-2, null, null], rig.Evaluate(new Cast(number, DataType.TinyInt, IsTry: true)));
        Assert.Equal([(Int128)3, (Int128)(-3), (Int128)301, null], rig.Evaluate(new Cast(number, DataType.Decimal(4, 0))));
        var money = rig.Column("m", DataType.Decimal(10, 2), (Int128)250, (Int128)(-255), (Int128)9999, null);
        Assert.Equal([2, -2, 99, null], rig.Evaluate(new Cast(money, DataType.Int)));
        Assert.Equal([2.5, -2.55, 99.99, null], rig.Evaluate(new Cast(money, DataType.Double)));
        Assert.Equal([(Int128)25, (Int128)(-26), (Int128)1000, null], rig.Evaluate(new Cast(money, DataType.Decimal(10, 1))));
        Assert.Equal([(Int128)250000, (Int128)(-255000), (Int128)9999000, null], rig.Evaluate(new Cast(money, DataType.Decimal(38, 5))));
        var whole = rig.Column("i", DataType.BigInt, 1L, -7L, long.MaxValue, null);
        Assert.Equal([(Int128)100, (Int128)(-700), (Int128)long.MaxValue * 100, null], rig.Evaluate(new Cast(whole, DataType.Decimal(22, 2))));
        Assert.Equal("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", Assert.Throws<QueryException>(() => rig.Evaluate(new Cast(whole, DataType.Decimal(18, 2)))).ErrorClass);
    }

    [Fact]
    public void Times_are_shown_in_the_zone_of_the_session()
    {
        using var rig = new KernelRig(zone: "Europe/Berlin");
        var time = rig.Column("t", DataType.Timestamp, 1_720_000_000_500_000L, null);
        Assert.Equal(["2024-07-03 11:46:40.5", null], rig.Evaluate(new Cast(time, DataType.String)));
        Assert.Equal([19907, null], rig.Evaluate(new Cast(time, DataType.Date)));
        Assert.Equal([1_719_957_600_000_000L, null], rig.Evaluate(new Cast(new Cast(time, DataType.Date), DataType.Timestamp)));
        Assert.Equal([11, null], rig.Evaluate(Call("hour", time)));
    }

    internal static DataType TypeOf(string name) => name switch
    {
        "tinyint" => DataType.TinyInt,
        "int" => DataType.Int,
        "bigint" => DataType.BigInt,
        "double" => DataType.Double,
        "boolean" => DataType.Boolean,
        "date" => DataType.Date,
        "timestamp" => DataType.Timestamp,
        "timestamp_ntz" => DataType.TimestampNtz,
        _ => DataType.Decimal(int.Parse(name.Split('(', ',')[1], CultureInfo.InvariantCulture), int.Parse(name.Split(',', ')')[1], CultureInfo.InvariantCulture)),
    };
}
