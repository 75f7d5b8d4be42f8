using System.Globalization;
using System.Xml.Linq;
using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

public sealed class LearnerExamplesTests
{
    [Fact]
    public void Trees_tell_incomes_of_a_census_better_than_a_line_does_and_draw_what_they_found()
    {
        using var folder = new TempDirectory();
        var lines = ExampleProgram.Run("CensusIncome", "--people", "8000", "--plots", folder.Path);
        Assert.True(Number(lines, "boosted trees", 0) > Number(lines, "logistic regression", 0));
        Assert.True(Number(lines, "boosted trees", 0) > 0.85);
        foreach (var plot in new[] { "learning", "roc", "confusion", "importance" }) Assert.Equal("svg", XDocument.Load(Path.Combine(folder.Path, $"{plot}.svg")).Root!.Name.LocalName);
        Assert.Contains(lines, line => line.StartsWith("One row: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Digits_are_read_and_the_errors_drawn()
    {
        using var folder = new TempDirectory();
        var lines = ExampleProgram.Run("HandwrittenDigits", "--plots", folder.Path);
        Assert.True(Number(lines, "nearest neighbours (k = 3)", 0) > 0.97);
        Assert.True(Number(lines, "boosted trees (100 x 10)", 0) > 0.95);
        Assert.True(Number(lines, "logistic regression", 0) > 0.93);
        Assert.True(File.Exists(Path.Combine(folder.Path, "confusion.svg")));
        Assert.True(File.Exists(Path.Combine(folder.Path, "errors.svg")));
    }

    [Fact]
    public void Frauds_are_found_as_payments_come_and_a_line_that_goes_on_to_learn_follows_the_thieves()
    {
        using var folder = new TempDirectory();
        var lines = ExampleProgram.Run("FraudScoring", "--batches", "9", "--history", "8000", "--output", Path.Combine(folder.Path, "alerts"));
        double[] Batch(int number) => [.. lines.Single(line => line.StartsWith($"{number} ", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => double.Parse(part, CultureInfo.InvariantCulture))];
        Assert.True(Batch(5)[5] > 0.98 && Batch(5)[4] > 0.7 * Batch(5)[2], string.Join('\n', lines));

        // In the seventh batch thieves do something else: the trees do not know it, the line has learned it by the ninth.
        Assert.True(Batch(8)[5] < 0.8 && Batch(8)[6] > 0.9, string.Join('\n', lines));
        Assert.Equal((int)Enumerable.Range(0, 9).Sum(number => Batch(number)[3]), Directory.EnumerateFiles(Path.Combine(folder.Path, "alerts"), "*.json", SearchOption.AllDirectories).Sum(file => File.ReadLines(file).Count()));
    }

    private static double Number(IReadOnlyList<string> lines, string name, int column) => double.Parse(
        lines.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[column], CultureInfo.InvariantCulture);
}
