namespace Dataflow.Analyzers.Tests;

/// <summary>DF0001: a write of what a lambda captured stays in the task.</summary>
public sealed class CapturedWriteTests
{
    [Theory]
    [InlineData("var count = 0; rdd.ForEach(x => [|DF0001:count|]++);")]
    [InlineData("var count = 0; rdd.Map(x => ++[|DF0001:count|]);")]
    [InlineData("var count = 0; rdd.ForEach(x => [|DF0001:count|] = x);")]
    [InlineData("var sum = 0.0; rdd.ForEach(x => [|DF0001:sum|] += x);")]
    [InlineData("string? last = null; rdd.ForEach(x => [|DF0001:last|] ??= \"\");")]
    [InlineData("var (a, b) = (1, 2); rdd.ForEach(x => ([|DF0001:a|], _) = (x, b));")]
    [InlineData("var count = 0; rdd.ForEach(x => Interlocked.Increment(ref [|DF0001:count|]));")]
    [InlineData("var found = 0; rdd.Filter(x => int.TryParse(\"1\", out [|DF0001:found|]));")]
    [InlineData("var pair = (A: 1, B: 2); rdd.ForEach(x => [|DF0001:pair|].A = x);")]
    [InlineData("var count = 0; rdd.ForEach(x => { void Add() => [|DF0001:count|]++; Add(); });")]
    [InlineData("var count = 0; rdd.ForEach(x => Add()); void Add() => [|DF0001:count|]++;")]
    [InlineData("var count = 0; rdd.ForEach(Add); void Add(int x) => [|DF0001:count|]++;")]
    [InlineData("var count = 0; rdd.Map(x => { Func<int> next = () => [|DF0001:count|]++; return next(); });")]
    [InlineData("var count = 0; rdd.MapPartitions(items => items.Select(x => x + [|DF0001:count|]++));")]
    [InlineData("var count = 0; Action<int> add = x => [|DF0001:count|]++; rdd.ForEach(add);")]
    [InlineData("var count = 0; pairs.ReduceByKey((a, b) => a + [|DF0001:count|]++);")]
    [InlineData("var count = 0; rdd.ForEachAsync(x => [|DF0001:count|]++);")]
    [InlineData("var count = 0; context.RunJob(rdd, items => [|DF0001:count|]++);")]
    [InlineData("var count = 0; rdd.Map(x => { ref var at = ref [|DF0001:count|]; return at; });")]
    public void A_write_of_a_captured_variable_is_warned_of(string body) => AnalyzedProgram.Check(body);

    [Theory]
    [InlineData("var count = 0; new List<int>().ForEach(x => count++);")]
    [InlineData("var count = 0; foreach (var x in rdd.Collect()) count++;")]
    [InlineData("var count = 0; Array.ForEach(rdd.Collect(), x => count++);")]
    [InlineData("var count = context.Counter(\"count\"); rdd.ForEach(x => count.Add(x));")]
    [InlineData("var base_ = 1; rdd.Map(x => { var count = base_; count++; return count; });")]
    [InlineData("var limit = 3; rdd.Filter(x => { x += limit; return x > 3; });")]
    [InlineData("rdd.Filter(x => int.TryParse(\"1\", out var found) && found == x);")]
    [InlineData("var pair = (A: 1, B: 2); rdd.Map(x => { var own = pair; own.A = x; return own; });")]
    [InlineData("var table = new int[3]; rdd.Map(x => table[x] = x);")]
    [InlineData("rdd.ForEach(x => { var count = 0; void Add() => count++; Add(); });")]
    [InlineData("rdd.MapPartitions(items => { var count = 0; return items.Select(x => x + count++); });")]
    [InlineData("var count = 0; count++; rdd.Map(x => x + count);")]
    [InlineData("var count = 0; rdd.Map(x => nameof(count));")]
    [InlineData("var text = \"\"; rdd.Map(x => (x, text)); text += \"a\";")]
    [InlineData("rdd.Map(x => Volatile.Read(ref x));")]
    [InlineData("var at = 1; rdd.Map(x => Read(in at)); static int Read(in int value) => value;")]
    [InlineData("var list = new List<int>(); rdd.Coalesce(1, (parent, partitions) => { list = []; return []; });")]
    public void Other_writes_are_not(string body) => AnalyzedProgram.Check(body);

    [Fact]
    public void A_write_of_a_field_of_this_is_warned_of_once()
    {
        var messages = AnalyzedProgram.CheckTypes("""
            sealed class Scan(Rdd<int> rdd, int start)
            {
                private int _count;
                public long Total { get; private set; }
                public void Run() => rdd.ForEach(x => { [|DF0001:_count|]++; _count += 2; });
                public void Sum() => rdd.ForEach(x => [|DF0001:this.Total|] += x);
                public void Start() => rdd.ForEach(x => [|DF0001:start|] = x);
            }
            """);
        Assert.Equal(
            "The lambda given to ForEach writes the field 'this._count' (Int32). Each worker has its own copy of the object, so the driver would never see it. "
            + "Use context.Counter(\"_count\") or an Accumulator instead.",
            messages[0]);
    }

    [Fact]
    public void A_part_of_a_struct_is_the_struct_and_a_part_of_an_object_is_not()
    {
        const string types = "struct Point { public int X; public int Y { get; set; } } sealed class Box { public int X; }";
        AnalyzedProgram.Check("var point = new Point(); rdd.ForEach(x => [|DF0001:point|].X = x);", types: types);
        AnalyzedProgram.Check("var point = new Point(); rdd.ForEach(x => [|DF0001:point|].Y = x);", types: types);
        AnalyzedProgram.Check("var box = new Box(); rdd.ForEach(x => box.X = x);", types: types);
    }

    [Fact]
    public void Messages_say_what_to_use_instead()
    {
        Assert.Equal(
            ["The lambda given to ForEach writes the captured variable 'count' (Int32). Each worker has its own copy, so the driver would never see it. "
                + "Use context.Counter(\"count\") or an Accumulator instead."],
            AnalyzedProgram.Check("var count = 0; rdd.ForEach(x => [|DF0001:count|]++);"));
        Assert.Equal(
            ["The local function 'Add' given to ForEach writes the captured variable 'all' (List<int>). Each worker has its own copy, so the driver would "
                + "never see it. Use an Accumulator instead."],
            AnalyzedProgram.Check("var all = new List<int>(); rdd.ForEach(Add); void Add(int x) => [|DF0001:all|] = [x];"));
    }
}
