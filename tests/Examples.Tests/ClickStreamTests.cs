using System.Text.Json;
using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

public sealed class ClickStreamTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public void It_counts_what_comes_tells_of_late_clicks_and_ends_by_itself()
    {
        using var folder = new TempDirectory();
        var lines = ExampleProgram.Run("ClickStream", "--batches", "12", "--every", "100", "--checkpoint", folder.Path);
        var batches = lines.Where(line => line.StartsWith("batch ", StringComparison.Ordinal) && line.Contains(':')).ToArray();
        Assert.Equal(12, batches.Length);
        Assert.StartsWith("batch 0: 200 clicks, 0 groups too late, ", batches[0], StringComparison.Ordinal);
        Assert.Contains(batches, line => !line.Contains(" 0 groups too late", StringComparison.Ordinal));
        Assert.Contains("| 2026-01-05 09:01:00 | /search |", string.Join('\n', lines), StringComparison.Ordinal);
        Assert.EndsWith(Path.Combine(folder.Path, "minutes"), lines[^1], StringComparison.Ordinal);
        CheckMinutes(folder.Path);
    }

    [Fact]
    public async Task It_is_killed_goes_on_and_counts_each_click_once()
    {
        using var folder = new TempDirectory();
        using (var killed = ExampleProgram.Begin("ClickStream", "--every", "50", "--checkpoint", folder.Path))
        {
            try
            {
                string? line;
                do line = await killed.StandardOutput.ReadLineAsync().WaitAsync(Patience);
                while (line?.StartsWith("batch 8:", StringComparison.Ordinal) == false);
                Assert.NotNull(line);
            }
            finally
            {
                killed.Kill();
                await killed.WaitForExitAsync().WaitAsync(Patience);
            }
        }
        var lines = ExampleProgram.Run("ClickStream", "--batches", "4", "--every", "50", "--checkpoint", folder.Path);
        var first = ExampleProgram.Numbers([lines.First(line => line.Contains(" clicks, ", StringComparison.Ordinal))], @"^batch (\d+):")[0];
        Assert.InRange(first, 9, 1000);
        CheckMinutes(folder.Path);
    }

    // All minutes that are final were given, once, with all clicks that did not come too late: a file is a batch.
    private static void CheckMinutes(string folder)
    {
        var expected = new Dictionary<(DateTimeOffset, string), long>();
        DateTimeOffset? latest = null;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "inbox"), "clicks-*.json").Order(StringComparer.Ordinal))
        {
            var clicks = Read<Click>(file).ToArray();
            foreach (var click in clicks)
            {
                var minute = new DateTimeOffset(click.At.Ticks - (click.At.Ticks % TimeSpan.TicksPerMinute), TimeSpan.Zero);
                if (minute.AddMinutes(11) <= latest) continue;
                expected[(minute, click.Page)] = expected.GetValueOrDefault((minute, click.Page)) + 1;
            }
            var last = clicks.Max(click => click.At);
            latest = latest > last ? latest : last;
        }
        var final = expected.Where(pair => pair.Key.Item1.AddMinutes(11) <= latest).OrderBy(pair => pair.Key).Select(pair => new PageMinute(pair.Key.Item1, pair.Key.Item2, pair.Value)).ToArray();
        Assert.NotEmpty(final);
        var given = Directory.EnumerateFiles(Path.Combine(folder, "minutes"), "*.json", SearchOption.AllDirectories).SelectMany(Read<PageMinute>);
        Assert.Equal(final, given.OrderBy(row => (row.window, row.Page)));
    }

    private static IEnumerable<T> Read<T>(string file) => File.ReadLines(file).Select(line => JsonSerializer.Deserialize<T>(line)!);

    private sealed record Click(DateTimeOffset At, string Page);

    // Named as the columns of the files.
    private sealed record PageMinute(DateTimeOffset window, string Page, long Clicks);
}
