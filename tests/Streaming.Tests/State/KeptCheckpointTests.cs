using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests;

/// <summary>Checkpoints that earlier versions wrote are gone on with.</summary>
public sealed class KeptCheckpointTests
{
    private const int Half = 4;

    [Theory]
    [InlineData("0.1.0", "counts")]
    [InlineData("0.1.0", "distinct")]
    [InlineData("0.1.0", "join")]
    [InlineData("0.1.0", "chain")]
    [InlineData("0.1.0", "sessions")]
    [InlineData("0.1.0", "groups")]
    public async Task A_checkpoint_of_an_earlier_version_goes_on_with_the_right_answer(string version, string kind)
    {
        var kept = Path.Combine(RepositoryRoot.Path, "tests", "data", "checkpoints", version, kind);
        if (Environment.GetEnvironmentVariable("DATAFLOW_WRITE_CHECKPOINTS") == "1" && !Directory.Exists(kept)) await Write(kept, kind);
        using var folder = new TempDirectory();
        TempDirectory.Copy(Path.Combine(kept, "checkpoint"), folder.Combine("checkpoint"));
        var before = File.ReadAllLines(Path.Combine(kept, "given.txt"));
        var after = await RescaleTests.Run(folder, kind, [], first: Half);
        Assert.NotEmpty(after);
        Assert.Empty(before.Intersect(after));
        using var whole = new TempDirectory();
        Assert.Equal(await RescaleTests.Run(whole, kind, []), before.Concat(after).Order(StringComparer.Ordinal));
    }

    private static async Task Write(string kept, string kind)
    {
        using var folder = new TempDirectory();
        var given = await RescaleTests.Run(folder, kind, [], behind: Half);
        TempDirectory.Copy(folder.Combine("checkpoint"), Path.Combine(kept, "checkpoint"));
        File.WriteAllLines(Path.Combine(kept, "given.txt"), given);
    }
}
