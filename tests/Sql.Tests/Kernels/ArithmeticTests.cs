using Dataflow.Sql.Expressions;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

public sealed class ArithmeticTests
{
    [Fact]
    public void Sums_of_decimals_line_up_their_points()
    {
        using var rig = new KernelRig();
        var price = rig.Column("price", DataType.Decimal(15, 2), (Int128)1050, null, (Int128)(-1));
        var sum = Call("-", Int(1), price);
        Assert.Equal(DataType.Decimal(16, 2), sum.Type);
        Assert.Equal([(Int128)(-950), null, (Int128)101], rig.Evaluate(sum));
    }

    [Fact]
    public void A_product_chain_of_short_decimals_is_exact_and_may_stay_in_64_bits()
    {
        using var rig = new KernelRig();
        var random = new Random(7);
        var price = Enumerable.Range(0, 1000).Select(_ => (object?)(Int128)random.NextInt64(10_000_000)).ToArray();
        var discount = Enumerable.Range(0, 1000).Select(i => i % 7 == 0 ? null : (object?)(Int128)random.NextInt64(11)).ToArray();
        var p = rig.Column("price", DataType.Decimal(15, 2), price);
        var d = rig.Column("discount", DataType.Decimal(15, 2), discount);
        var product = Call("*", Call("*", p, Call("-", Int(1), d)), Call("+", Int(1), d));
        Assert.Equal(DataType.Decimal(38, 6), product.Type);
        var expected = price.Zip(discount, (a, b) => b is null ? null : (object?)((Int128)a! * (100 - (Int128)b) * (100 + (Int128)b))).ToArray();
        Assert.Equal(expected, rig.Evaluate(product));
        var narrow = rig.Compile(product).EvaluateNarrow(rig.Batch());
        Assert.Equal(PhysicalType.Int64, narrow.Type.Physical);
        Assert.Equal(expected, Read(narrow, 1000));
    }

    [Fact]
    public void A_product_that_64_bits_do_not_hold_is_computed_in_128()
    {
        using var rig = new KernelRig();
        var value = Int128.Parse("999999999999999999");
        var a = rig.Column("a", DataType.Decimal(18, 0), value, -value, (Int128)3);
        Assert.Equal([value * value, value * value, (Int128)9], rig.Evaluate(Call("*", a, a)));
    }

    [Fact]
    public void Overflow_is_an_error_with_values_and_place_but_only_for_rows_that_count()
    {
        const string text = "SELECT a + 1 FROM t";
        using var rig = new KernelRig(text);
        var values = Enumerable.Range(0, 100).Select(i => (object?)(i == 57 ? long.MaxValue : i)).ToArray();
        for (var i = 0; i < values.Length; i++) values[i] = Convert.ToInt64(values[i]);
        var a = rig.Column("a", DataType.BigInt, values);
        var sum = CallAt(7, "+", a, Value(1L, DataType.BigInt));
        var mask = Enumerable.Range(0, 100).Select(i => i != 57).ToArray();
        Assert.Equal(100L, rig.Evaluate(sum, mask)[99]);
        var error = Assert.Throws<QueryException>(() => rig.Evaluate(sum));
        Assert.Equal("ARITHMETIC_OVERFLOW", error.ErrorClass);
        Assert.Contains("9223372036854775807 + 1", error.Message);
        Assert.Equal((1, 8), (error.Line, error.Column));
    }
}
