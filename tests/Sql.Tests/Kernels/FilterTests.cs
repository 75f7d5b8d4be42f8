using Dataflow.Sql.Expressions;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

public sealed class FilterTests
{
    [Fact]
    public void A_filter_keeps_rows_for_which_all_conjuncts_are_true()
    {
        using var rig = new KernelRig();
        var random = new Random(3);
        var dates = Enumerable.Range(0, 5000).Select(_ => random.Next(8000, 10000)).ToArray();
        var amounts = Enumerable.Range(0, 5000).Select(i => i % 11 == 0 ? (long?)null : random.NextInt64(10)).ToArray();
        var date = rig.Column("date", DataType.Date, [.. dates.Select(each => (object?)each)]);
        var amount = rig.Column("amount", DataType.Decimal(15, 2), [.. amounts.Select(each => each is null ? null : (object?)(Int128)each)]);
        var predicate = Call("and", Call(">=", date, Value(8766, DataType.Date)), Call("and", Call("<", date, Value(9131, DataType.Date)), Call("<=", amount, Dec("0.05"))));
        var expected = dates.Zip(amounts, (d, a) => d >= 8766 && d < 9131 && a <= 5).ToArray();
        Assert.Contains(true, expected);
        Assert.Equal(expected, rig.Filter(predicate));
        var mask = Enumerable.Range(0, 5000).Select(i => i % 3 != 0).ToArray();
        Assert.Equal(expected.Zip(mask, (a, b) => a && b), rig.Filter(predicate, mask));
    }

    [Fact]
    public void Comparisons_of_a_dictionary_are_looked_up_by_code()
    {
        using var rig = new KernelRig();
        var codes = Enumerable.Range(0, 200).Select(i => i % 13 == 0 ? (int?)null : i % 3).ToArray();
        var mode = rig.Coded("mode", DataType.String, ["MAIL", "SHIP", "a longer text than twelve"], codes);
        Assert.Equal(codes.Select(code => code == 1), rig.Filter(Call("=", mode, Text("SHIP"))));
        Assert.Equal(codes.Select(code => code is 0 or 2), rig.Filter(Call("<>", mode, Text("SHIP"))));
        Assert.Equal(codes.Select(code => code == 2), rig.Filter(Call("=", Text("a longer text than twelve"), mode)));
    }

    [Fact]
    public void A_long_dictionary_gives_the_same_for_few_rows_and_for_many()
    {
        using var rig = new KernelRig();
        var values = Enumerable.Range(0, 20_000).Select(i => (object)("value " + i)).ToArray();
        var codes = Enumerable.Range(0, 8000).Select(i => (int?)(i * 7 % 20_000)).ToArray();
        var column = rig.Coded("v", DataType.String, values, codes);
        var length = rig.Compile(Call("length", column));
        var expected = codes.Select(code => (object?)("value " + code).Length).ToArray();
        for (var batches = 0; batches < 4; batches++) Assert.Equal(expected, Read(length.Evaluate(rig.Batch()), 8000));
    }

    [Fact]
    public void Chains_of_or_are_tried_one_after_the_other_on_the_rows_that_are_left()
    {
        using var rig = new KernelRig();
        var a = rig.Column("a", DataType.Int, [.. Enumerable.Range(0, 300).Select(i => i % 9 == 0 ? null : (object?)(i % 50))]);
        var chain = Enumerable.Range(1, 20).Select(i => Call("=", a, Int(i * 2))).Aggregate((left, right) => Call("or", left, right));
        var expected = Enumerable.Range(0, 300).Select(i => i % 9 == 0 ? null : (object?)(i % 50 is > 0 and <= 40 && i % 50 % 2 == 0));
        Assert.Equal(expected, rig.Evaluate(chain));
        // The division is only reached where the divisor is not zero.
        var guarded = Call("or", Call("or", Call("=", a, Int(0)), Call("isnull", a)), Call(">", Call("div", Int(100), a), Int(10)));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => i % 9 == 0 || i % 50 == 0 || 100 / (i % 50) > 10), rig.Filter(guarded));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(300)]
    [InlineData(512)]
    [InlineData(513)]
    public void Bits_are_looked_up_by_codes_of_dictionaries_of_any_length(int values)
    {
        using var rig = new KernelRig();
        var codes = Enumerable.Range(0, 1001).Select(i => i % 17 == 0 ? (int?)null : i * 31 % values).ToArray();
        var column = rig.Coded("v", DataType.BigInt, [.. Enumerable.Range(0, values).Select(i => (object)(long)(i * 7 % 11))], codes);
        var expected = codes.Select(code => code is null ? null : (object?)(code.Value * 7 % 11 < 5));
        Assert.Equal(expected, rig.Evaluate(Call("<", column, Value(5L, DataType.BigInt))));
        Assert.Equal(codes.Select(code => code is null || code.Value * 7 % 11 == 3 ? null : (object?)(long)(code.Value * 7 % 11)),
            rig.Evaluate(Call("nullif", column, Value(3L, DataType.BigInt))));
    }
}
