namespace Dataflow.Examples.Tests;

public class SkewedJoinTests
{
    [Fact]
    public void Spreading_the_hot_key_gives_the_same_rows_and_a_fair_share_of_them()
    {
        var lines = ExampleProgram.Run("SkewedJoin", "--orders", "100000", "--customers", "5000", "--hot", "60");
        Assert.Contains("Both give the same rows.", lines);
        Assert.True(Share(lines, "plain join") >= 60, string.Join('\n', lines));
        Assert.True(Share(lines, "hot keys spread out") <= 25, string.Join('\n', lines));
    }

    private static double Share(string[] lines, string plan) =>
        ExampleProgram.Numbers(lines, $"^{plan} .* of 100,000 rows the busiest of 8 tasks joins ([0-9]+) %")[0];
}
