namespace Dataflow.Engine.Tests.Rdds;

/// <summary>Random pipelines give what the same steps give in LINQ, in every mode; and in every mode the same bits in the same order.</summary>
public sealed class LinqOracleTests
{
    private const int PipelinesABatch = 50;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Random_pipelines_give_what_LINQ_gives(int batch)
    {
        using var plain = DataflowContext.Local(DataflowOptions.Default with { Threads = 4, FusionWarmUp = 0 });
        using var unfused = DataflowContext.Local(DataflowOptions.Default with { Threads = 1, Fusion = false });
        using var onDisk = DataflowContext.Local(DataflowOptions.Default with { Threads = 4, SegmentsInMemory = false, EngineMemoryBytes = 256 << 10 });
        using var byWire = TestKit.ShippingBackend.Context(DataflowOptions.Default with { Threads = 2, FusionWarmUp = 0 });
        for (var i = 0; i < PipelinesABatch; i++)
        {
            var seed = batch * 1_000_003 + i;
            var first = Run(plain, seed, "fused on 4 threads");
            var second = Run(unfused, seed, "on 1 thread without fusion");
            var fourth = Run(byWire, seed, "by wire");
            var third = Run(onDisk, seed, "on disk");
            Assert.True(first.Bits.AsSpan().SequenceEqual(second.Bits), $"seed {seed}: 1 thread without fusion gives other bits, or another order, than 4 threads\n{first.Steps}");
            Assert.True(first.Bits.AsSpan().SequenceEqual(fourth.Bits), $"seed {seed}: code that has travelled gives other bits, or another order\n{first.Steps}");
            Assert.True(first.Bits.AsSpan().SequenceEqual(third.Bits), $"seed {seed}: spilling gives other bits, or another order\n{first.Steps}");
        }
        var spilled = onDisk.Parallelize([0], 1).Map(static _ => Tasks.TaskContext.Current!.Services.Shuffles.SpilledBytes).First();
        Assert.InRange(spilled, 10_000, long.MaxValue);
    }

    private static Outcome Run(DataflowContext context, int seed, string mode)
    {
        Flow? flow = null;
        Outcome outcome;
        try
        {
            flow = Flow.Make(context, seed);
            outcome = flow.Run();
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"seed {seed} {mode} failed\n{flow?.Steps}", error);
        }
        Assert.True(outcome.Difference is null, $"seed {seed} {mode} differs from LINQ\n{outcome.Steps}\n{outcome.Difference}");
        return outcome;
    }
}
