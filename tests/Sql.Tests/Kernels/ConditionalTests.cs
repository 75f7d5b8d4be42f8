using Dataflow.Sql.Expressions;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

public sealed class ConditionalTests
{
    [Fact]
    public void Branches_see_only_rows_that_reach_them()
    {
        using var rig = new KernelRig();
        var a = rig.Column("a", DataType.BigInt, 6L, 0L, null, 3L);
        var quotient = Call("div", Value(12L, DataType.BigInt), a);
        var choice = new Case([Call("<>", a, Value(0L, DataType.BigInt)), quotient], Value(-1L, DataType.BigInt));
        Assert.Equal([2L, -1L, -1L, 4L], rig.Evaluate(choice));
        var error = Assert.Throws<QueryException>(() => rig.Evaluate(quotient));
        Assert.Equal("DIVIDE_BY_ZERO", error.ErrorClass);
        Assert.Equal([2L, null, null, 4L], rig.Evaluate(Call("div", Value(12L, DataType.BigInt), Call("nullif", a, Value(0L, DataType.BigInt)))));
        Assert.Equal([true, false, false, true], rig.Filter(Call("and", Call("<>", a, Int(0)), Call(">", quotient, Int(1)))));
    }

    [Fact]
    public void A_case_of_wide_decimals_may_stay_in_64_bits_and_blends_text()
    {
        using var rig = new KernelRig();
        var random = new Random(5);
        var types = Enumerable.Range(0, 700).Select(_ => random.Next(3)).ToArray();
        var prices = types.Select(_ => (Int128)random.NextInt64(1_000_000)).ToArray();
        var type = rig.Coded("type", DataType.String, ["PROMO BRUSHED COPPER", "STANDARD", "x"], [.. types.Select(each => (int?)each)]);
        var price = rig.Column("price", DataType.Decimal(15, 2), [.. prices.Select(each => (object?)each)]);
        var product = Call("*", price, Call("-", Int(1), price));
        var choice = new Case([Call("like", type, Text("PROMO%")), product], CastTo(Int(0), product.Type));
        var expected = types.Select((each, i) => each == 0 ? (object?)(prices[i] * (100 - prices[i])) : (Int128)0).ToArray();
        Assert.Equal(expected, rig.Evaluate(choice));
        Assert.Equal(PhysicalType.Int64, rig.Compile(choice).EvaluateNarrow(rig.Batch()).Type.Physical);
        var names = new Case([Call("=", type, Text("x")), Text("a text that is longer than twelve")], type);
        Assert.Equal(types.Select(each => (object?)(each == 0 ? "PROMO BRUSHED COPPER" : each == 1 ? "STANDARD" : "a text that is longer than twelve")), rig.Evaluate(names));
    }

    [Fact]
    public void Nulls_are_passed_over()
    {
        using var rig = new KernelRig();
        var a = rig.Column("a", DataType.Int, 1, null, 5, null);
        var b = rig.Column("b", DataType.Int, 2, 7, null, null);
        Assert.Equal([1, 7, 5, null], rig.Evaluate(Call("coalesce", a, b)));
        Assert.Equal([1, 7, 5, 9], rig.Evaluate(Call("coalesce", a, b, Int(9))));
        Assert.Equal([2, 7, 5, null], rig.Evaluate(Call("greatest", a, b)));
        Assert.Equal([1, 7, 5, null], rig.Evaluate(Call("least", a, b)));
        Assert.Equal([false, false, false, true], rig.Evaluate(Call("<=>", a, b)));
        Assert.Equal([false, true, false, true], rig.Evaluate(Call("isnull", a)));
        Assert.Equal([2, 0, 2, 0], rig.Evaluate(Call("nvl2", a, Int(2), Int(0))));
    }

    [Fact]
    public void And_or_not_follow_three_valued_logic()
    {
        object?[] values = [true, false, null];
        using var rig = new KernelRig();
        var pairs = values.SelectMany(left => values, (left, right) => (left, right)).ToArray();
        var a = rig.Column("a", DataType.Boolean, [.. pairs.Select(pair => pair.left)]);
        var b = rig.Column("b", DataType.Boolean, [.. pairs.Select(pair => pair.right)]);
        Assert.Equal(pairs.Select(pair => pair.left is false || pair.right is false ? false : pair.left is null || pair.right is null ? null : (object?)true), rig.Evaluate(Call("and", a, b)));
        Assert.Equal(pairs.Select(pair => pair.left is true || pair.right is true ? true : pair.left is null || pair.right is null ? null : (object?)false), rig.Evaluate(Call("or", a, b)));
        Assert.Equal(pairs.Select(pair => pair.left is null ? null : (object?)!(bool)pair.left), rig.Evaluate(Call("not", a)));
    }

    [Fact]
    public void Values_are_found_in_lists_and_a_null_in_the_list_leaves_others_open()
    {
        using var rig = new KernelRig();
        var number = rig.Column("n", DataType.Int, 1, 2, null, 40);
        var text = rig.Column("t", DataType.String, "AIR", "a longer text than twelve", null, "REG AIR");
        Assert.Equal([true, false, null, true], rig.Evaluate(new InList(number, [Int(1), Int(40)])));
        Assert.Equal([true, null, null, null], rig.Evaluate(new InList(number, [Int(1), Literal.NullOf(DataType.Int)])));
        Assert.Equal([true, false, null, true], rig.Evaluate(new InList(number, [.. Enumerable.Range(3, 60).Append(1).Select(Int)])));
        Assert.Equal([false, true, null, true], rig.Evaluate(new InList(text, [Text("REG AIR"), Text("a longer text than twelve")])));
        Assert.Equal([true, false, null, true], rig.Evaluate(new InList(text, [Text("REG AIR"), .. Enumerable.Range(0, 50).Select(i => Text("other" + i)), Text("AIR")])));
    }
}
