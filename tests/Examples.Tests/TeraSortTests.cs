using System.Text;
using System.Text.RegularExpressions;
using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

public class TeraSortTests
{
    private const int Length = 100;

    [Fact]
    public void Its_output_is_its_input_in_order()
    {
        using var folder = new TempDirectory();
        var output = Path.Combine(folder.Path, "output");
        var work = Directory.CreateDirectory(Path.Combine(folder.Path, "work")).FullName;
        var lines = ExampleProgram.Run(
            "TeraSort", "--records", "20000", "--partitions", "5", "--seed", "3", "--output", output, "--work", work, "--memory", "200m");

        var checksum = Regex.Match(lines[^1], "^OK: 20,000 records sorted, checksum ([0-9A-F]{16}) before and after$");
        Assert.True(checksum.Success, string.Join('\n', lines));
        Assert.Empty(Directory.EnumerateFileSystemEntries(work));

        var files = Directory.GetFiles(output, "part-*").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(5, files.Length);
        var records = files.SelectMany(File.ReadAllBytes).Chunk(Length).Select(Encoding.ASCII.GetString).ToArray();
        var keys = records.Select(record => record[..10]).ToArray();
        Assert.Equal(keys.Order(StringComparer.Ordinal), keys);

        // Records carry their numbers: each is there once, whole.
        Assert.All(records, record => Assert.Matches("^[ -~]{10}  [0-9A-F]{32}  [A-P]{52}\r\n$", record));
        Assert.Equal(Enumerable.Range(0, 20_000), records.Select(record => Convert.ToInt32(record[12..44], 16)).Order());

        // The same records in another order and other files have the same checksum.
        var again = ExampleProgram.Run("TeraSort", "--input", Path.Combine(output, "part-*"), "--partitions", "2", "--work", work);
        Assert.Equal(lines[^1], again[^1]);
    }

    [Fact]
    public void A_sort_beyond_memory_leaves_nothing_behind()
    {
        using var folder = new TempDirectory();
        var lines = ExampleProgram.Run("TeraSort", "--records", "1500000", "--memory", "120m", "--work", folder.Path);
        Assert.StartsWith("OK: 1,500,000 records sorted", lines[^1]);
        Assert.Equal(["make", "read", "sort", "check"], lines[..^1].Select(line => line.Split(' ')[0]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void An_input_cut_short_is_refused()
    {
        using var folder = new TempDirectory();
        var input = Path.Combine(folder.Path, "input");
        File.WriteAllBytes(input, new byte[3 * Length + 1]);
        var run = ExampleProgram.TryRun("TeraSort", "--input", input, "--work", folder.Path);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("301 bytes", run.Errors);
    }
}
