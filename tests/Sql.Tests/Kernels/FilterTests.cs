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
}
