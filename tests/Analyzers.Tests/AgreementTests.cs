using System.Reflection;
using System.Runtime.Loader;
using Dataflow.TestKit;
using Microsoft.CodeAnalysis;

namespace Dataflow.Analyzers.Tests;

/// <summary>What the analyzer says of a lambda, the engine says of it when the program runs: the same captures, in the same words.</summary>
public sealed class AgreementTests
{
    [Theory]
    [InlineData("var count = 0; rdd.Map(x => x + [|DF0001:count|]++);")]
    [InlineData("var total = 0.5; rdd.Filter(x => ([|DF0001:total|] += x) > 0);")]
    [InlineData("var (a, b) = (1, 2); rdd.Map(x => { ([|DF0001:a|], _) = (x, b); return x; });")]
    [InlineData("var count = 0; rdd.Map(x => Interlocked.Increment(ref [|DF0001:count|]));")]
    [InlineData("var pair = (A: 1, B: 2); rdd.Map(x => [|DF0001:pair|].A = x);")]
    [InlineData("var count = 0; rdd.Map(x => { void Add() => [|DF0001:count|]++; Add(); return x; });")]
    [InlineData("var count = 0; rdd.Map(x => Add()); int Add() => [|DF0001:count|]++;")]
    [InlineData("var count = 0; rdd.MapPartitions(items => items.Select(x => x + [|DF0001:count|]++));")]
    [InlineData("var count = 0; pairs.ReduceByKey((a, b) => a + [|DF0001:count|]++);")]
    [InlineData("new Holder().Write(rdd);")]
    [InlineData("new Holder().WriteProperty(rdd);")]
    [InlineData("var point = new Point(); rdd.Map(x => [|DF0001:point|].X = x);")]
    [InlineData("var point = new Point(); rdd.Map(x => [|DF0001:point|].Y = x);")]
    [InlineData("rdd.Map(x => x + [|DF0002:context|].DefaultParallelism);")]
    [InlineData("rdd.Map(x => x + [|DF0002:rdd|].Count());")]
    [InlineData("var all = new[] { rdd }; rdd.Map(x => [|DF0002:all|].Length);")]
    [InlineData("var all = new Dictionary<string, Rdd<int>>(); rdd.Map(x => [|DF0002:all|].Count);")]
    [InlineData("var both = (1, rdd); rdd.Map(x => x + [|DF0002:both|].Item1);")]
    [InlineData("var barrier = rdd.Barrier(); rdd.Map(x => [|DF0002:barrier|].ToString());")]
    [InlineData("var query = from x in rdd where x < [|DF0002:context|].DefaultParallelism select x;")]
    [InlineData("using var file = File.OpenRead(Environment.ProcessPath!); rdd.Map(x => [|DF0004:file|].Length).Count();")]
    [InlineData("var random = new Random(1); rdd.Map(x => [|DF0004:random|].Next(x + 1)).Count();")]
    [InlineData("var later = Task.FromResult(3); rdd.Map(x => x + [|DF0004:later|].Result).Count();")]
    [InlineData("var thread = Thread.CurrentThread; rdd.Map(x => [|DF0004:thread|].Name ?? \"\").Count();")]
    [InlineData("using var process = new System.Diagnostics.Process(); rdd.Map(x => [|DF0004:process|].Id).Count();")]
    [InlineData("using var stop = new CancellationTokenSource(); rdd.Filter(x => [|DF0004:stop|].IsCancellationRequested).Count();")]
    [InlineData("using var stop = new CancellationTokenSource(); var token = stop.Token; rdd.Filter(x => [|DF0004:token|].IsCancellationRequested).Count();")]
    [InlineData("using var gate = new SemaphoreSlim(1); rdd.Filter(x => [|DF0004:gate|].CurrentCount > x).Count();")]
    [InlineData("nint address = 5; rdd.Map(x => [|DF0004:address|] > x).Count();")]
    public void A_lambda_that_is_warned_of_is_refused(string body)
    {
        var marked = body.StartsWith("new Holder") ? body : body[..body.IndexOf("[|")] + body[(body.IndexOf("[|") + 9)..].Replace("|]", "");
        var (said, thrown) = Both(marked);
        var message = Assert.Single(said).GetMessage();
        Assert.NotNull(thrown);

        // Both begin with whom they speak of: the engine knows the line, the analyzer has the place. Of what can't travel the engine adds the path.
        Assert.EndsWith(message[FirstVerb(message)..], thrown.Message.Split("\n  path: ")[0]);
    }

    [Theory]
    [InlineData("var limit = 3; rdd.Filter(x => { x += limit; return x > 3; });")]
    [InlineData("rdd.Filter(x => int.TryParse(\"1\", out var found) && found == x);")]
    [InlineData("var pair = (A: 1, B: 2); rdd.Map(x => { var own = pair; own.A = x; return own; });")]
    [InlineData("var table = new int[3]; rdd.Map(x => table[0] = x);")]
    [InlineData("rdd.MapPartitions(items => { var count = 0; return items.Select(x => x + count++); });")]
    [InlineData("var at = 1; rdd.Map(x => Read(in at)); static int Read(in int value) => value;")]
    [InlineData("var box = new Box(); rdd.Map(x => box.X = x);")]
    [InlineData("var set = context.Broadcast(new HashSet<int> { 1 }); rdd.Filter(x => set.Value.Contains(x));")]
    [InlineData("var wrong = context.Counter(\"wrong\"); rdd.Map(x => { wrong.Add(1); return x; });")]
    [InlineData("var used = context.DefaultParallelism; rdd.Map(x => x + used); var more = rdd.Map(x => x).Id;")]
    [InlineData("rdd.Map(x => nameof(context)).Count();")]
    [InlineData("using var file = File.OpenRead(Environment.ProcessPath!); var length = file.Length; rdd.Map(x => x + length).Count();")]
    [InlineData("var regex = new System.Text.RegularExpressions.Regex(\"a\"); rdd.Filter(x => regex.IsMatch(\"a\")).Count();")]
    [InlineData("var encoding = System.Text.Encoding.UTF8; rdd.Map(x => encoding.GetByteCount(\"a\")).Count();")]
    [InlineData("var gate = new Lock(); rdd.Map(x => { lock (gate) return x; }).Count();")]
    [InlineData("rdd.MapPartitionsWithIndex((index, items) => { var random = new Random(index); return items.Select(x => random.Next(x + 1)); }).Count();")]
    [InlineData("rdd.Coalesce(1, (parent, partitions) => [Enumerable.Range(0, rdd.PartitionCount).ToArray()]);")]
    public void One_that_is_not_is_taken(string body)
    {
        var (said, thrown) = Both(body);
        Assert.Empty(said);
        Assert.Null(thrown);
    }

    private static int FirstVerb(string message) => new[] { " writes ", " uses ", " can't travel " }.Select(verb => message.IndexOf(verb)).Where(at => at > 0).Min();

    private static (Diagnostic[] Said, ClosureException? Thrown) Both(string body)
    {
        var file = ("Program.cs", AnalyzedProgram.Source(body, types: """
            public struct Point { public int X; public int Y { get; set; } }
            public sealed class Box { public int X; }
            public sealed class Holder
            {
                private int _count;
                public long Total { get; private set; }
                public void Write(Rdd<int> rdd) => rdd.Map(x => _count++);
                public void WriteProperty(Rdd<int> rdd) => rdd.Map(x => Total += x);
            }
            """));
        var said = AnalyzedProgram.Analyze(OutputKind.DynamicallyLinkedLibrary, file).Where(one => !InUnused(one, body)).ToArray();
        using var image = new MemoryStream();
        var emitted = AnalyzedProgram.Compile(OutputKind.DynamicallyLinkedLibrary, file).Emit(image);
        Assert.True(emitted.Success);
        image.Position = 0;
        var scope = new AssemblyLoadContext("analyzed", isCollectible: true);
        try
        {
            var run = scope.LoadFromStream(image).GetType("Program")!.GetMethod("Run")!;
            using var context = ShippingBackend.Context(DataflowOptions.Default with { Threads = 1 });
            run.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [context, context.Parallelize([0, 1, 2, 3]), context.Parallelize([("a", 1)])], null);
            return (said, null);
        }
        catch (ClosureException error)
        {
            return (said, error);
        }
        finally
        {
            scope.Unload();
        }
    }

    // The class beside the program is in each of them; each of its methods is meant by one.
    private static bool InUnused(Diagnostic said, string body) =>
        said.Location.SourceTree!.GetText().Lines[said.Location.GetLineSpan().StartLinePosition.Line].ToString() is var line
        && ((line.Contains("void Write(") && !body.Contains(".Write(")) || (line.Contains("void WriteProperty(") && !body.Contains(".WriteProperty(")));
}
