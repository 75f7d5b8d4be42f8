using Dataflow.Closures;
using Dataflow.Jobs;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>What can't travel is refused by its path if the lambda reads it, and left out if it does not.</summary>
public sealed class RefusedCaptureTests
{
    [Fact]
    public void A_scope_shared_with_the_context_and_an_open_file_travels_without_them()
    {
        using var context = DataflowContext.Local(1);
        using var file = File.OpenRead(typeof(RefusedCaptureTests).Assembly.Location);
        var rdd = context.Empty<int>();
        var small = 10;
        var unread = new[] { 1, 2, 3 };
        var all = () => (context, file, rdd, unread);
        var copy = Ship.Copy((int x) => x + small);
        Assert.Equal(11, copy(1));
        Assert.Null(Field(copy, "context"));
        Assert.Null(Field(copy, "file"));
        Assert.Equal(unread, Field(copy, "unread"));
        GC.KeepAlive(all);
    }

    [Fact]
    public void A_large_variable_is_left_out_only_if_nobody_reads_it()
    {
        var large = new byte[100_000];
        var small = 1;
        Func<int, int> without = x => x + small;
        Func<int, int> with = x => x + large.Length;
        Assert.Null(Field(Ship.Copy(without), "large"));
        Assert.InRange(ClosureCodec.Write(without).Bytes.Length, 1, 2_000);
        Assert.Equal(100_001, Ship.Copy(with)(1));

        // Both have the same scope: whichever is first, the second finds what it reads.
        var (first, second) = Ship.Copy(Tuple.Create(without, with));
        Assert.Equal((2, 100_001), (first(1), second(1)));
    }

    [Fact]
    public void A_context_that_is_read_is_refused_with_what_to_do()
    {
        using var context = DataflowContext.Local(1);
        var message = Ship.Refusal((int x) => context.DefaultParallelism + x);
        Assert.StartsWith("The lambda in RunJob", message);
        Assert.Contains("it reads 'context' (DataflowContext), and contexts live in the driver only", message);
        Assert.Contains("RefusedCaptureTests.cs:", message);
        var rdd = context.Empty<int>();
        Assert.Contains("it reads 'rdd' (EmptyRdd<int>), and Rdds live in the driver only. Collect it first", Ship.Refusal((int x) => rdd.Id + x));
        Assert.Contains("which holds a DataflowContext", Ship.Refusal(new Holder(context).ByField()));
        Assert.Equal(43, Ship.Copy(new Holder(context).ByLocal())(1));
    }

    [Fact]
    public void Objects_of_this_process_are_refused()
    {
        using var file = File.OpenRead(typeof(RefusedCaptureTests).Assembly.Location);
        using var cancellation = new CancellationTokenSource();
        var random = new Random(5);
        var query = new[] { 1, 2 }.Where(static x => x > 1);
        var task = Task.FromResult(1);
        var thread = Thread.CurrentThread;
        var address = (nint)5;
        var token = cancellation.Token;
        var derived = new Words { ["a"] = 1 };
        Refuses("it reads 'file' (FileStream), and it holds an open file or connection. Open it inside MapPartitions instead", () => file.Length);
        Refuses("it reads 'random' (Random), and every task would draw the same numbers", () => random.Next());
        Refuses("it is not a collection but a recipe", () => query.Sum());
        Refuses("Await it before this verb", () => task.Result);
        Refuses("it is a thread of this process", () => thread.ManagedThreadId);
        Refuses("it is an address in this process", () => address);
        Refuses("Use TaskContext.Current.CancellationToken", () => token.IsCancellationRequested);
        Refuses("it extends Dictionary<string, int>", () => derived.Count);
        Refuses("it reads 'cancellation' (CancellationTokenSource)", () => cancellation.IsCancellationRequested);
    }

    [Fact]
    public void The_path_leads_through_objects_and_collections()
    {
        using var file = File.OpenRead(typeof(RefusedCaptureTests).Assembly.Location);
        var tables = new List<Dictionary<string, object>> { new() { ["a"] = 1 }, new() { ["b"] = file } };
        var message = Ship.Refusal((int x) => tables[x].Count);
        Assert.Contains("it reads 'tables' (List<Dictionary<string, object>>), which holds a FileStream", message);
        Assert.Contains("-> [1] (Dictionary<string, object>)", message);
    }

    private static void Refuses<T>(string why, Func<T> lambda) => Assert.Contains(why, Ship.Refusal(lambda));

    private static object? Field(Delegate lambda, string name) => lambda.Target!.GetType().GetField(name)!.GetValue(lambda.Target);

    private sealed class Words : Dictionary<string, int>;

    private sealed class Holder(DataflowContext context)
    {
        private readonly int _field = 42;

        public DataflowContext Context => context;

        public Func<int, int> ByField() => x => x + _field;

        public Func<int, int> ByLocal()
        {
            var field = _field;
            return x => x + field;
        }
    }
}
