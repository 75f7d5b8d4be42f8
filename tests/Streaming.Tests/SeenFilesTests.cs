using Dataflow.Sql.Columns;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.Sources;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests;

/// <summary>What a query remembers of files that it has read is bounded, and no file is read twice.</summary>
public sealed class SeenFilesTests
{
    private static readonly DateTime Begin = new(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc);
    private static readonly FileSourceOptions Day = new() { MaxFileAge = TimeSpan.FromDays(1), MaxFilesPerTrigger = 1 };

    [Fact]
    public async Task Files_of_an_hour_each_are_read_once_over_starts_and_old_ones_are_forgotten()
    {
        using var folder = new TempDirectory();
        var random = new Random(7);
        var (read, place) = (new List<string>(), (string?)null);
        var reader = Open();
        try
        {
            for (var hour = 0; hour < 450; hour++)
            {
                Put($"{hour}", hour);
                if (random.Next(20) == 0)
                {
                    reader.Dispose();
                    reader = Open();
                }
                var end = await reader.FindEndAsync(place, long.MaxValue, default);
                Assert.NotEqual(place, end);

                // The process ended before the batch was done: it runs again.
                if (random.Next(20) == 0)
                {
                    reader.Dispose();
                    reader = Open();
                    Assert.Equal(end, await reader.FindEndAsync(place, long.MaxValue, default));
                }
                read.AddRange(reader.FilesOf(place, end!).Select(file => Path.GetFileName(file.Path)));
                await reader.CommitAsync(end!, default);
                place = end;
                Assert.Equal(place, await reader.FindEndAsync(place, long.MaxValue, default));
            }
            Assert.Equal(Enumerable.Range(0, 450).Select(hour => $"{hour}"), read);
            Assert.Equal(50, Directory.GetFiles(folder.Combine("log")).Length);

            // Only the last has files of the day before the newest file of its hundred.
            Assert.Single(Directory.GetFiles(folder.Combine("log", "chunks")));
            Assert.Null(reader.Problem);

            // One that is not too old is read, whenever it comes, and one that is too old is told of.
            Put("late", 430);
            place = await ReadAsync("late");
            Put("later", 100);
            Assert.Equal(place, await reader.FindEndAsync(place, long.MaxValue, default));
            Assert.Contains("1 files came that were changed before 2026-01-20 15:00:00 UTC, 24 h before the newest, and are not read", reader.Problem, StringComparison.Ordinal);
        }
        finally
        {
            reader.Dispose();
        }

        void Put(string name, int hour)
        {
            var path = folder.Combine("in", name);
            Directory.CreateDirectory(folder.Combine("in"));
            File.WriteAllText(path, "x\n");
            File.SetLastWriteTimeUtc(path, Begin.AddHours(hour));
        }

        async Task<string> ReadAsync(string name)
        {
            var end = await reader.FindEndAsync(place, long.MaxValue, default);
            Assert.Equal(name, Path.GetFileName(Assert.Single(reader.FilesOf(place, end!)).Path));
            await reader.CommitAsync(end!, default);
            return end!;
        }

        FileStreamReader Open() => new("files", folder.Combine("in"), FileStreamFormat.Text(), Day, new DurableLog(folder.Combine("log")));
    }

    [Fact]
    public void A_file_of_the_future_does_not_make_others_old()
    {
        using var folder = new TempDirectory();
        var time = new ManualTimeProvider();
        var log = new DurableLog(folder.Combine("log"));
        var seen = new SeenFiles(log, TimeSpan.FromDays(1), time);
        var now = time.GetUtcNow();
        for (var i = 0; i < SeenFiles.LooksOfChunk; i++) seen.Add([new($"/in/{i}", 1, i == 50 ? now.AddYears(10) : now.AddMinutes(-i))]);
        seen.Finish(SeenFiles.LooksOfChunk);
        Assert.Equal(now.AddDays(-1), seen.Threshold);
        Assert.False(seen.Contains(new("/in/next", 1, now)));

        // A clock that is set back brings nothing back.
        time.Advance(TimeSpan.FromDays(2));
        for (var i = 0; i < SeenFiles.LooksOfChunk; i++) seen.Add([new($"/in/later {i}", 1, now.AddDays(2))]);
        seen.Finish(2 * SeenFiles.LooksOfChunk);
        Assert.Equal(now.AddDays(1), seen.Threshold);
        var again = new SeenFiles(log, TimeSpan.FromDays(1), new ManualTimeProvider());
        Assert.Equal(now.AddDays(1), again.Threshold);
        Assert.True(again.Contains(new("/in/3", 1, now)));
        Assert.Equal(2 * SeenFiles.LooksOfChunk, again.Looks);
    }
}
