namespace Dataflow.Examples.Tests;

public class KMeansRddTests
{
    [Theory]
    [InlineData(1, 6)]
    [InlineData(2, 3)]
    [InlineData(3, 1)]
    public void It_finds_the_centres_that_the_points_were_made_around(int seed, int clusters)
    {
        var lines = ExampleProgram.Run("KMeansRdd", "--points", "30000", "--clusters", $"{clusters}", "--seed", $"{seed}");
        var result = ExampleProgram.Numbers(lines, @"^found (\d+) of (\d+) centres to within 0\.1, the worst ([\d.]+) off$");
        Assert.Equal(clusters, result[0]);
        Assert.Equal(clusters, result[1]);

        // A mean of 5,000 points has a standard deviation of 0.014 in each direction.
        Assert.InRange(result[2], 0, 0.08);
    }
}
