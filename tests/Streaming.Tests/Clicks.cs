using System.Text.Json;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>A click on a page.</summary>
public sealed record Click(DateTimeOffset At, string Page, int User);

/// <summary>What a query gives of a page and a minute.</summary>
public sealed record PageMinute(DateTimeOffset Window, string Page, long Clicks, long Users);

/// <summary>Clicks made of a seed, in files, and what should come of them in plain LINQ.</summary>
internal static class Clicks
{
    public static readonly TimeSpan Delay = TimeSpan.FromMinutes(2);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Files of clicks: times go on from file to file, and within one are out of order by less than the delay.</summary>
    public static Click[][] Make(int files, int perFile, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, files).Select(file => Enumerable.Range(0, perFile).Select(i =>
            new Click(Start.AddSeconds((60 * file) + random.Next(-59, 60)), $"/page/{random.Next(5)}", random.Next(20))).ToArray())];
    }

    /// <summary>A path in a folder.</summary>
    public static string Combine(this Dataflow.TestKit.TempDirectory folder, params string[] parts) => Path.Combine([folder.Path, .. parts]);

    /// <summary>Writes clicks as a file that appears whole.</summary>
    public static void Write(string folder, int number, IEnumerable<Click> clicks)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"clicks-{number:D4}.json");
        File.WriteAllLines(path + ".tmp", clicks.Select(click => JsonSerializer.Serialize(click)));
        File.SetLastWriteTimeUtc(path + ".tmp", Start.UtcDateTime.AddMinutes(number));
        File.Move(path + ".tmp", path);
    }

    /// <summary>Writes the files that a query reads, the oldest first.</summary>
    public static void WriteAll(Dataflow.TestKit.TempDirectory folder, Click[][] files)
    {
        for (var i = 0; i < files.Length; i++) Write(folder.Combine("in"), i, files[i]);
    }

    /// <summary>Clicks of each page and minute, of the files that come into a folder.</summary>
    public static DataFrame PerPage(DataflowContext context, string folder, FileSourceOptions? options = null) =>
        PerPage(context.ReadStream.Json<Click>(Path.Combine(folder, "in"), options ?? new FileSourceOptions { MaxFilesPerTrigger = 1 }));

    /// <summary>Clicks of each page and minute; of a stream or of a frame.</summary>
    public static DataFrame PerPage(DataFrame clicks) => clicks.WithWatermark("At", Delay)
        .GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Page"))
        .Agg(Count().As("Clicks"), Sum(Col("User")).As("Users"));

    /// <summary>What should come of them.</summary>
    public static PageMinute[] Expected(IEnumerable<Click> clicks) =>
    [
        .. clicks.GroupBy(click => (Window: new DateTimeOffset(click.At.Ticks - (click.At.Ticks % TimeSpan.TicksPerMinute), TimeSpan.Zero), click.Page))
            .Select(group => new PageMinute(group.Key.Window, group.Key.Page, group.Count(), group.Sum(click => click.User)))
            .OrderBy(each => each.Window).ThenBy(each => each.Page, StringComparer.Ordinal),
    ];

    /// <summary>Rows in the same order.</summary>
    public static PageMinute[] Ordered(IEnumerable<PageMinute> rows) => [.. rows.OrderBy(each => each.Window).ThenBy(each => each.Page, StringComparer.Ordinal)];

    /// <summary>The time before which everything is final once all these were read.</summary>
    public static DateTimeOffset Watermark(IEnumerable<Click> clicks) => clicks.Max(click => click.At) - Delay;
}
