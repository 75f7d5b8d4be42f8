using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Dataflow.TestKit;

/// <summary>Compares texts with files in the repository. With <c>DATAFLOW_ACCEPT=1</c> the files are rewritten instead: their diff is what is reviewed.</summary>
public static partial class Golden
{
    /// <summary>Compares a text with a file.</summary>
    /// <param name="path">The file, from the repository's root: <c>tests/Sql.Tests/golden/joins.plan</c>.</param>
    /// <param name="actual">The text.</param>
    public static void Check(string path, string actual)
    {
        actual = actual.ReplaceLineEndings("\n");
        var file = Path.Combine(RepositoryRoot.Path, path);
        if (Environment.GetEnvironmentVariable("DATAFLOW_ACCEPT") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
            return;
        }
        Assert.True(File.Exists(file), $"{path} is missing. Run the test with DATAFLOW_ACCEPT=1 to write it.");
        var expected = File.ReadAllText(file).ReplaceLineEndings("\n");
        Assert.True(expected == actual, $"{path} differs. Run with DATAFLOW_ACCEPT=1 to rewrite it if this is right:\n{actual}");
    }

    /// <summary>A plan whose column numbers (#12) are counted anew from 1: those of a process depend on what ran before.</summary>
    public static string Renumbered(string text)
    {
        var numbers = new Dictionary<string, int>();
        return ColumnNumber().Replace(text, match =>
        {
            if (match.Value[0] != '#') return match.Value;
            if (!numbers.TryGetValue(match.Value, out var number)) numbers[match.Value] = number = numbers.Count + 1;
            return "#" + number.ToString(CultureInfo.InvariantCulture);
        });
    }

    // Text in quotes is no column, though it may look like one: 'Brand#45'.
    [GeneratedRegex(@"'[^']*'|#\d+")]
    private static partial Regex ColumnNumber();
}
