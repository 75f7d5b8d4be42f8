using System.Text.Json;
using Dataflow.Cluster;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>How the processes of executors collect garbage.</summary>
public sealed class ExecutorRuntimeTests
{
    [Theory]
    [InlineData(1, 4, false, false)]
    [InlineData(2, 4, true, false)]
    [InlineData(64, 4, true, false)]
    [InlineData(2, 64, true, true)]
    [InlineData(1, 64, false, true)]
    public void As_many_heaps_as_cores_and_long_pauses_only_in_the_background(int cores, int gigabytes, bool server, bool concurrent)
    {
        using var config = JsonDocument.Parse(ExecutorRuntime.Config(cores, (long)gigabytes << 30));
        var properties = config.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties");
        Assert.Equal(server, properties.GetProperty("System.GC.Server").GetBoolean());
        Assert.Equal(concurrent, properties.GetProperty("System.GC.Concurrent").GetBoolean());
        Assert.InRange(properties.GetProperty("System.GC.HeapCount").GetInt32(), 1, Math.Min(cores, Environment.ProcessorCount));
        Assert.Equal((long)gigabytes << 30, properties.GetProperty("System.GC.HeapHardLimit").GetInt64());
    }

    [Fact]
    public void A_small_grant_has_one_heap()
    {
        using var config = JsonDocument.Parse(ExecutorRuntime.Config(8, 256 << 20));
        Assert.False(config.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties").GetProperty("System.GC.Server").GetBoolean());
    }
}
