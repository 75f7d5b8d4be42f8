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

    private static double Number(IReadOnlyList<string> lines, string name, int column) => double.Parse(
        lines.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[column], CultureInfo.InvariantCulture);
}
