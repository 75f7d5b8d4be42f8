using System.Globalization;
using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

public class PageRankTests
{
    [Fact]
    public void Ranks_equal_those_of_a_dense_power_iteration()
    {
        const int seed = 5, pages = 60, rounds = 15;
        var random = new Random(seed);

        // Every seventh page links nowhere; some links are written twice and count once; each page is linked to, so that all are seen.
        var links = Enumerable.Range(0, pages)
            .Where(page => page % 7 > 0)
            .SelectMany(page => Enumerable.Range(0, 6).Select(_ => (From: page, To: random.Next(random.Next(1, pages)))))
            .Concat(Enumerable.Range(0, pages).Select(page => (From: 1, To: page)))
            .ToArray();
        using var folder = new TempDirectory();
        var file = Path.Combine(folder.Path, "links.txt");
        File.WriteAllLines(file, ["# from to", .. links.Select(link => $"{link.From}\t{link.To}"), $"{links[0].From} {links[0].To}"]);

        var lines = ExampleProgram.Run("PageRank", file, "--rounds", $"{rounds}", "--top", $"{pages}");

        var expected = PowerIteration(links, pages, rounds);
        var ranks = lines.Where(line => line.Contains("  page ")).Select(line => line.Split("  page ")).ToArray();
        Assert.Equal(pages, ranks.Length);
        foreach (var rank in ranks)
        {
            var page = int.Parse(rank[1]);
            Assert.True(
                Math.Abs(expected[page] - double.Parse(rank[0], CultureInfo.InvariantCulture)) < 1e-9,
                $"Seed {seed}: the rank of page {page} is {rank[0]}, not {expected[page]:F10}.");
        }
        Assert.Equal(ranks.Select(rank => rank[0]).OrderDescending(StringComparer.Ordinal), ranks.Select(rank => rank[0]));
        Assert.Equal(1, ExampleProgram.Numbers(lines, @"ranks sum to ([\d.]+)$")[0], 9);
    }

    [Fact]
    public void Ranks_of_a_made_up_graph_settle_and_sum_to_one()
    {
        var lines = ExampleProgram.Run("PageRank", "--pages", "1000", "--rounds", "60");
        Assert.True(lines.Count(line => line.StartsWith("round", StringComparison.Ordinal)) < 60, string.Join('\n', lines));
        Assert.Equal(1, ExampleProgram.Numbers(lines, @"ranks sum to ([\d.]+)$")[0], 9);
    }

    private static double[] PowerIteration((int From, int To)[] links, int pages, int rounds)
    {
        var matrix = new double[pages, pages];
        foreach (var from in links.Distinct().GroupBy(link => link.From))
        {
            foreach (var (_, to) in from) matrix[to, from.Key] = 1.0 / from.Count();
        }
        foreach (var page in Enumerable.Range(0, pages).Except(links.Select(link => link.From)))
        {
            for (var to = 0; to < pages; to++) matrix[to, page] = 1.0 / pages;
        }

        var ranks = Enumerable.Repeat(1.0 / pages, pages).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            ranks = [.. Enumerable.Range(0, pages).Select(to =>
                0.15 / pages + 0.85 * Enumerable.Range(0, pages).Sum(from => matrix[to, from] * ranks[from]))];
        }
        return ranks;
    }
}
