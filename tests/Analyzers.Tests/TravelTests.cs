namespace Dataflow.Analyzers.Tests;

/// <summary>DF0004: what a process has open does not travel.</summary>
public sealed class TravelTests
{
    [Theory]
    [InlineData("using var file = File.OpenRead(\"f\"); rdd.Map(x => [|DF0004:file|].ReadByte());", "it holds an open file or connection. Open it inside MapPartitions")]
    [InlineData("TextWriter log = Console.Out; rdd.ForEach(x => [|DF0004:log|].WriteLine(x));", "it holds an open file or connection. Open it inside MapPartitions")]
    [InlineData("var client = new System.Net.Http.HttpClient(); rdd.Map(x => [|DF0004:client|].Timeout);", "it holds something that this process has open. Make it inside")]
    [InlineData("var gate = new SemaphoreSlim(1); rdd.ForEach(x => [|DF0004:gate|].Wait());", "it holds something that this process has open. Make it inside")]
    [InlineData("using var stop = new CancellationTokenSource(); rdd.Filter(x => [|DF0004:stop|].IsCancellationRequested);", "it holds something")]
    [InlineData("using var stop = new CancellationTokenSource(); var token = stop.Token; rdd.Filter(x => [|DF0004:token|].IsCancellationRequested);", "it can be cancelled in this process only. Use TaskContext")]
    [InlineData("nint address = 5; rdd.Map(x => [|DF0004:address|] + x);", "it is an address in this process. Keep the data in an array")]
    [InlineData("var random = new Random(1); rdd.Map(x => [|DF0004:random|].Next(x));", "every task would draw the same numbers. Make one inside MapPartitions")]
    [InlineData("var later = Task.FromResult(3); rdd.Map(x => x + [|DF0004:later|].Result);", "it runs in this process. Await it before this verb")]
    [InlineData("var later = new ValueTask<int>(3); rdd.Map(x => x + [|DF0004:later|].Result);", "it runs in this process. Await it before this verb")]
    [InlineData("System.Linq.Expressions.Expression<Func<int, int>> tree = x => x; rdd.Map(x => [|DF0004:tree|].ToString());", "expression trees stay in the driver. Use a lambda")]
    [InlineData("var thread = Thread.CurrentThread; rdd.Map(x => [|DF0004:thread|].Name);", "it is a thread of this process. Start it inside the task")]
    [InlineData("using var process = new System.Diagnostics.Process(); rdd.Map(x => [|DF0004:process|].Id);", "it is a process of this machine. Start it inside the task, or use Pipe")]
    [InlineData("var own = new Own(); rdd.Map(x => [|DF0004:own|].ToString());", "it holds something that this process has open")]
    [InlineData("var own = new OwnAsync(); rdd.Map(x => [|DF0004:own|].ToString());", "it holds something that this process has open")]
    [InlineData("var text = new StringWriter(); rdd.ForEach([|DF0004:text|].Write);", "it holds an open file or connection")]
    public void It_is_warned_of(string body, string because)
    {
        var message = Assert.Single(AnalyzedProgram.Check(body, types: Types));
        Assert.Contains("can't travel to an executor: it reads '", message);
        Assert.Contains("), and " + because, message);
    }

    [Theory]
    [InlineData("using var file = File.OpenRead(\"f\"); var length = file.Length; rdd.Map(x => x + length);")]
    [InlineData("rdd.MapPartitions(items => { using var file = File.OpenRead(\"f\"); return items.Select(x => x + file.ReadByte()).ToArray(); });")]
    [InlineData("rdd.MapPartitionsWithIndex((index, items) => { var random = new Random(index); return items.Select(x => random.Next(x)); });")]
    [InlineData("var regex = new System.Text.RegularExpressions.Regex(\"a\"); rdd.Filter(x => regex.IsMatch(\"a\"));")]
    [InlineData("rdd.Filter(x => Dataflow.Tasks.TaskContext.Current!.CancellationToken.IsCancellationRequested);")]
    [InlineData("using var stop = new CancellationTokenSource(); rdd.ForEachAsync(x => { }, stop.Token);")]
    [InlineData("var later = Task.FromResult(3); var value = later.Result; rdd.Map(x => x + value);")]
    [InlineData("var own = new Reopens(); rdd.Map(x => own.ToString());")]
    [InlineData("IEnumerable<int> some = [1, 2]; rdd.Filter(x => some.Contains(x));")]
    [InlineData("var encoding = System.Text.Encoding.UTF8; rdd.Map(x => encoding.GetBytes(\"a\"));")]
    [InlineData("var gate = new Lock(); rdd.ForEach(x => { lock (gate) { } });")]
    public void What_travels_is_not(string body) => AnalyzedProgram.Check(body, types: Types);

    [Fact]
    public void A_stream_held_in_a_field_is_warned_of_as_the_field() => AnalyzedProgram.CheckTypes("""
        sealed class Writer(StreamWriter log)
        {
            private readonly Stream _file = log.BaseStream;
            public void A(Rdd<int> rdd) => rdd.ForEach(x => [|DF0004:_file|].Flush());
            public void B(Rdd<int> rdd) => rdd.ForEach(x => [|DF0004:log|].Flush());
            public void C(Rdd<int> rdd) { var length = _file.Length; rdd.Map(x => x + length); }
        }
        """);

    private const string Types = """
        sealed class Own : IDisposable { public void Dispose() { } }
        sealed class OwnAsync : IAsyncDisposable { public ValueTask DisposeAsync() => default; }
        sealed class Reopens : IDisposable { [NonSerialized] private Stream? _file = null; public void Dispose() => _file?.Dispose(); }
        """;
}
