namespace Dataflow.Analyzers.Tests;

/// <summary>DF0003: a member of <c>this</c> takes the whole object along.</summary>
public sealed class WholeObjectTests
{
    [Theory]
    [InlineData("rdd.Map(x => x * [|DF0003:_factor|]);")]
    [InlineData("rdd.Map(x => x * [|DF0003:this._factor|] + _factor);")]
    [InlineData("rdd.Map(x => x * [|DF0003:Factor|]);")]
    [InlineData("rdd.Map(x => [|DF0003:Scaled(x)|]);")]
    [InlineData("rdd.Map([|DF0003:Scaled|]);")]
    [InlineData("rdd.Map(x => Of([|DF0003:this|]));")]
    [InlineData("rdd.Map(x => [|DF0003:this[x]|]);")]
    [InlineData("rdd.Map(Local); int Local(int x) => x * [|DF0003:_factor|];")]
    [InlineData("rdd.Map(x => Local(x)); int Local(int x) => x * [|DF0003:_factor|];")]
    [InlineData("rdd.MapPartitions(items => items.Select(x => x * [|DF0003:_factor|]));")]
    [InlineData("rdd.Map(x => x * [|DF0003:_factor|] + [|DF0003:_offset|]);")]
    [InlineData("Func<int, int> scale = x => x * [|DF0003:_factor|]; rdd.Map(scale);")]
    [InlineData("rdd.Map<int>(_factor > 1 ? x => x * [|DF0003:_factor|] : x => x);")]
    [InlineData("rdd.Map(x => x * [|DF0003:given|]);")]
    [InlineData("var scaled = from x in rdd select x * [|DF0003:_factor|];")]
    public void It_is_warned_of(string body) => AnalyzedProgram.CheckTypes(Holder("sealed class", body));

    [Theory]
    [InlineData("var factor = _factor; rdd.Map(x => x * factor);")]
    [InlineData("rdd.Map(x => x * Shared);")]
    [InlineData("rdd.Map(x => Doubled(x));")]
    [InlineData("rdd.Map(Doubled);")]
    [InlineData("rdd.Map(x => x * Constant);")]
    [InlineData("rdd.Collect().Select(x => x * _factor).ToArray();")]
    [InlineData("rdd.Map(x => new Point { X = x, Y = x }.X);")]
    [InlineData("var point = new Point(); rdd.Map(x => (point with { X = x }).X);")]
    [InlineData("rdd.Map(x => nameof(_factor));")]
    [InlineData("rdd.Map(Local); static int Local(int x) => x * Shared;")]
    [InlineData("rdd.Coalesce(1, (parent, partitions) => [Enumerable.Range(0, _factor).ToArray()]);")]
    public void A_copy_of_it_or_something_static_is_not(string body) => AnalyzedProgram.CheckTypes(Holder("sealed class", body));

    [Theory]
    [InlineData("rdd.Map(x => x * _factor);")]
    [InlineData("rdd.Map(x => Scaled(x));")]
    public void A_record_is_a_value_and_may_travel(string body) => AnalyzedProgram.CheckTypes(Holder("sealed record", body));

    [Fact]
    public void Messages_say_what_to_do()
    {
        Assert.Equal(
            ["The lambda given to Map uses 'this._factor', so the whole Holder travels with it. Copy '_factor' to a local variable before this verb, and use that."],
            AnalyzedProgram.CheckTypes(Holder("sealed class", "rdd.Map(x => x * [|DF0003:_factor|]);")));
        Assert.Equal(
            ["The method 'Scaled' given to Map uses 'this.Scaled', so the whole Holder travels with it. "
                + "Make 'Scaled' static, or a local function, and give it what it needs."],
            AnalyzedProgram.CheckTypes(Holder("sealed class", "rdd.Map([|DF0003:Scaled|]);")));
    }

    [Fact]
    public void A_parameter_of_a_primary_constructor_is_a_field_only_where_a_method_uses_it() => AnalyzedProgram.CheckTypes("""
        sealed class Scaler(Rdd<int> rdd, int factor)
        {
            private readonly Rdd<int> _scaled = rdd.Map(x => x * factor);
            public Rdd<int> Again() => _scaled.Map(x => x * [|DF0003:factor|]);
        }
        """);

    private static string Holder(string kind, string body) => $$"""
        {{kind}} Holder(int given)
        {
            private const int Constant = 2;
            private static int Shared = 3;
            private readonly int _factor = 2, _offset = 1;
            public int Factor => _factor;
            public int this[int x] => x * _factor;
            public void Run(Rdd<int> rdd) { {{body}} }
            private int Scaled(int x) => x * _factor * given;
            private static int Doubled(int x) => 2 * x;
            private static int Of(Holder holder) => holder._factor + holder._offset;
        }
        record Point { public int X { get; set; } public int Y { get; set; } }
        """;
}
