using Dataflow.Cluster.Tests;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>Equal partitions give equal bits wherever tasks run; other partitions give the same within 1e-9.</summary>
public sealed class SameBitsTests
{
    [Fact]
    public void Threads_and_encoded_tasks_do_not_matter()
    {
        string[] hashes = [.. new[] { 1, 2, 4 }.Select(threads =>
        {
            using var context = DataflowContext.Local(threads);
            return LinearChecks.Hash(LinearChecks.Learn(context, 3));
        })];
        using var shipped = ShippingBackend.Context(DataflowOptions.Default with { Threads = 2 });
        Assert.All(hashes, hash => Assert.Equal(hashes[0], hash));
        Assert.Equal(hashes[0], LinearChecks.Hash(LinearChecks.Learn(shipped, 3)));
    }

    [Fact]
    public void Partitions_matter_in_the_last_digits_only()
    {
        using var context = DataflowContext.Local(2);
        var expected = LinearChecks.Learn(context, 1);
        foreach (var partitions in new[] { 2, 7 }) SklearnData.AssertClose(expected, LinearChecks.Learn(context, partitions), 1e-9, $"{partitions} partitions");
    }

    [Theory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void Instruction_sets_do_not_matter(string set) => Assert.Equal(LinearChecks.Fingerprint(), Program.RunWithout(set, "linear"));

    [Fact]
    public async Task Executors_do_not_matter_nor_that_one_is_killed_half_way()
    {
        await using var driver = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var first = new WorkerProcess(driver.Cluster.Url.ToString());
        using var second = new WorkerProcess(driver.Cluster.Url.ToString());
        await driver.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1));
        var expected = LinearChecks.Fingerprint();
        Assert.Equal(expected, LinearChecks.Hash(LinearChecks.Learn(driver, 3)));
        using var here = DataflowContext.Local(1);
        var again = Task.Run(() => LinearChecks.LearnOne(driver));
        second.KillExecutors();
        Assert.Equal(LinearChecks.LearnOne(here), await again);
    }
}
