namespace Dataflow.Analyzers.Tests;

/// <summary>DF0002: contexts and Rdds live in the driver.</summary>
public sealed class DriverOnlyTests
{
    [Theory]
    [InlineData("rdd.Map(x => x + [|DF0002:context|].DefaultParallelism);")]
    [InlineData("rdd.Map(x => x + [|DF0002:rdd|].Count());")]
    [InlineData("var other = rdd; rdd.Filter(x => [|DF0002:other|].Collect().Contains(x));")]
    [InlineData("Rdd untyped = rdd; rdd.Map(x => [|DF0002:untyped|].Id);")]
    [InlineData("var all = new[] { rdd }; rdd.Map(x => [|DF0002:all|].Length);")]
    [InlineData("var all = new List<Rdd<int>> { rdd }; rdd.Map(x => [|DF0002:all|].Count);")]
    [InlineData("var all = new Dictionary<string, Rdd<int>>(); rdd.Map(x => [|DF0002:all|].Count);")]
    [InlineData("var both = (1, rdd); rdd.Map(x => x + [|DF0002:both|].Item1);")]
    [InlineData("var barrier = rdd.Barrier(); rdd.Map(x => [|DF0002:barrier|].ToString());")]
    [InlineData("rdd.ForEachPartition(items => { foreach (var x in items) [|DF0002:context|].Counter(\"c\").Add(x); });")]
    [InlineData("var query = from x in rdd where x < [|DF0002:context|].DefaultParallelism select x;")]
    [InlineData("new List<Rdd<int>> { rdd }.Count(); var all = new List<Rdd<int>>(); rdd.ForEach([|DF0002:all|].RemoveAt);")]
    public void A_read_of_one_is_warned_of(string body) => AnalyzedProgram.Check(body);

    [Theory]
    [InlineData("var threads = context.DefaultParallelism; rdd.Map(x => x + threads);")]
    [InlineData("var count = rdd.Count(); rdd.Map(x => x + count);")]
    [InlineData("var collected = rdd.Collect(); rdd.Filter(x => collected.Contains(x));")]
    [InlineData("var all = new[] { rdd }; var length = all.Length; rdd.Map(x => length);")]
    [InlineData("var set = context.Broadcast(rdd.Collect().ToHashSet()); rdd.Filter(x => set.Value.Contains(x));")]
    [InlineData("var wrong = context.Counter(\"wrong\"); rdd.ForEach(x => wrong.Add(1));")]
    [InlineData("var seen = context.CollectionAccumulator<int>(\"seen\"); rdd.ForEach(x => seen.Add(x));")]
    [InlineData("Func<long> count = () => rdd.Count(); count();")]
    [InlineData("new[] { 1 }.Select(x => rdd.Map(y => x + y)).ToArray();")]
    [InlineData("rdd.Map(x => nameof(context));")]
    [InlineData("var limit = 3; var query = from x in rdd where x < limit let y = x * 2 select (x, y);")]
    [InlineData("rdd.Coalesce(2, (parent, partitions) => [Enumerable.Range(0, rdd.PartitionCount).ToArray()]);")]
    public void What_was_taken_from_it_before_is_not(string body) => AnalyzedProgram.Check(body);

    [Fact]
    public void An_Rdd_held_in_a_field_is_warned_of_as_the_field()
    {
        var messages = AnalyzedProgram.CheckTypes("""
            sealed class Search(Rdd<int> rdd)
            {
                private readonly DataflowContext _context = rdd.Context;
                public Rdd<int> Other => rdd;
                public void A() => rdd.Map(x => x + [|DF0002:_context|].DefaultParallelism);
                public void B() => rdd.Map(x => x + [|DF0002:Other|].Count());
                public void C() => rdd.Map(x => x + [|DF0002:rdd|].Count());
                public void D() { var all = Other; var count = all.Count(); rdd.Map(x => x + count); }
            }
            """);
        Assert.Equal(
            "The lambda given to Map uses 'this._context' (DataflowContext) inside a task: contexts live in the driver only. "
            + "Do that part before this verb, in the driver, and capture or broadcast its result.",
            messages[0]);
    }

    [Fact]
    public void A_type_of_the_users_that_is_marked_counts_too()
    {
        const string type = "sealed class Session : Dataflow.Closures.IDriverOnly { public int Id; public Rdd<int> Run(Rdd<int> rdd) => rdd.Map(x => x + [|DF0002:Id|]); }";
        var messages = AnalyzedProgram.Check("var session = new Session(); rdd.Map(x => x + [|DF0002:session|].Id);", types: type);
        Assert.Equal(
            "The lambda given to Map uses 'session' (Session) inside a task: a Session lives in the driver only. "
            + "Take what the lambda needs from it before this verb, and capture that.",
            messages[0]);
        Assert.Contains("uses 'this' (Session)", messages[1]);
    }

    [Fact]
    public void A_type_parameter_is_what_its_constraint_says()
    {
        AnalyzedProgram.Check("", "static void Go<TRdd>(Rdd<int> rdd, TRdd other) where TRdd : Rdd => rdd.Map(x => [|DF0002:other|].Id);");
        AnalyzedProgram.Check("", "static void Go<T>(Rdd<int> rdd, T other) where T : notnull => rdd.Map(x => other.ToString());");
    }
}
