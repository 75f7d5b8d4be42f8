using System.Text;
using Dataflow.Streaming.Receivers;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>The log that receivers write ahead.</summary>
public sealed class ReceivedLogTests
{
    [Fact]
    public async Task Records_come_back_by_number_from_memory_and_from_the_files()
    {
        using var folder = new TempDirectory();
        var time = new ManualTimeProvider();
        foreach (var memory in new[] { 0L, 1L << 20 })
        {
            var path = folder.Combine($"log-{memory}");
            string[] sent = [.. Enumerable.Range(0, 100).Select(i => new string((char)('a' + (i % 26)), i))];
            using (var log = new ReceivedLog(path, new() { MemoryBytes = memory }, time))
            {
                await AddAsync(log, sent);
                Check(log, sent);
            }
            using var again = new ReceivedLog(path);
            Check(again, sent);
        }

        static void Check(ReceivedLog log, string[] sent)
        {
            Assert.Equal("7", log.FindEnd(null, 7));
            Assert.Equal("100", log.FindEnd("7", long.MaxValue));
            Assert.Equal("100", log.FindEnd("100", 1));
            foreach (var (start, end) in new[] { (0, 100), (0, 1), (13, 14), (50, 99), (99, 100) }) Assert.Equal(sent[start..end], Texts(log, $"{start}", $"{end}"));
        }
    }

    [Fact]
    public async Task What_many_append_at_once_waits_for_the_disk_together_and_is_all_there()
    {
        using var folder = new TempDirectory();
        using (var log = new ReceivedLog(folder.Combine("log")))
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(sender => Task.Run(async () =>
            {
                for (var i = 0; i < 200; i++) await log.TryAppend(Encoding.UTF8.GetBytes($"{sender}/{i}"))!;
            })));
        }
        using var again = new ReceivedLog(folder.Combine("log"));
        var texts = Texts(again, null, again.FindEnd(null, long.MaxValue)!);
        Assert.Equal(1600, texts.Length);
        foreach (var sender in Enumerable.Range(0, 8)) Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{sender}/{i}"), texts.Where(text => text.StartsWith($"{sender}/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_write_that_was_cut_off_at_any_byte_leaves_what_was_kept_before()
    {
        using var folder = new TempDirectory();
        string[] kept = ["first", "second"];
        using (var log = new ReceivedLog(folder.Combine("log")))
        {
            await AddAsync(log, kept);
            await AddAsync(log, ["the last one"]);
        }
        var file = Directory.GetFiles(folder.Combine("log")).Single();
        var bytes = File.ReadAllBytes(file);
        var last = bytes.Length - ReceivedGroup.HeaderBytes - ReceivedGroup.RecordBytes - "the last one".Length;
        for (var length = last; length < bytes.Length; length++)
        {
            File.WriteAllBytes(file, bytes[..length]);
            using (var log = new ReceivedLog(folder.Combine("log")))
            {
                Assert.Equal(kept, Texts(log, null, log.FindEnd(null, long.MaxValue)!));
                await AddAsync(log, ["after it"]);
            }
            using var again = new ReceivedLog(folder.Combine("log"));
            Assert.Equal([.. kept, "after it"], Texts(again, null, "3"));
        }
    }

    [Fact]
    public async Task A_sector_of_the_last_write_that_a_loss_of_power_left_empty_is_cut_off()
    {
        using var folder = new TempDirectory();
        using (var log = new ReceivedLog(folder.Combine("log")))
        {
            await AddAsync(log, ["first"]);
            await AddAsync(log, [new string('x', 3000)]);
        }
        var file = Directory.GetFiles(folder.Combine("log")).Single();
        var bytes = File.ReadAllBytes(file);
        bytes.AsSpan(1024, 512).Clear();
        File.WriteAllBytes(file, bytes);
        using var again = new ReceivedLog(folder.Combine("log"));
        Assert.Equal(["first"], Texts(again, null, again.FindEnd(null, long.MaxValue)!));
    }

    [Fact]
    public async Task A_changed_byte_is_an_error_that_names_the_file_and_the_place()
    {
        using var folder = new TempDirectory();
        var options = new ReceiverOptions { SegmentBytes = 1 };
        foreach (var text in new[] { "first", "second", "third" })
        {
            using var log = new ReceivedLog(folder.Combine("log"), options);
            await AddAsync(log, [text]);
        }
        string[] files = [.. Directory.GetFiles(folder.Combine("log")).Order(StringComparer.Ordinal)];
        Assert.Equal(3, files.Length);
        foreach (var file in files)
        {
            var bytes = File.ReadAllBytes(file);
            for (var at = 0; at < bytes.Length; at++)
            {
                var changed = bytes.ToArray();
                changed[at] ^= 0x10;
                File.WriteAllBytes(file, changed);
                var error = Assert.Throws<StreamingException>(() => new ReceivedLog(folder.Combine("log"), options));
                Assert.Equal("CHECKPOINT_DAMAGED", error.Kind);
                Assert.Contains($"'{file}' is not as it was written at byte 0", error.Message, StringComparison.Ordinal);
            }
            File.WriteAllBytes(file, bytes);
        }
        File.Delete(files[1]);
        Assert.Equal("CHECKPOINT_DAMAGED", Assert.Throws<StreamingException>(() => new ReceivedLog(folder.Combine("log"), options)).Kind);
    }

    [Fact]
    public async Task A_byte_that_changes_while_a_query_runs_is_found_by_who_reads_it()
    {
        using var folder = new TempDirectory();
        using var log = new ReceivedLog(folder.Combine("log"), new() { MemoryBytes = 0 });
        await AddAsync(log, ["first"]);
        var range = log.Read(null, "1");
        using (var file = new FileStream(Directory.GetFiles(folder.Combine("log")).Single(), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = ReceivedGroup.HeaderBytes + ReceivedGroup.RecordBytes;
            file.WriteByte((byte)'F');
        }
        Assert.Equal("CHECKPOINT_DAMAGED", Assert.Throws<StreamingException>(() => Texts(range)).Kind);
    }

    [Fact]
    public async Task Files_go_when_all_of_them_was_read_and_numbers_go_on()
    {
        using var folder = new TempDirectory();
        var options = new ReceiverOptions { SegmentBytes = 1 };
        using (var log = new ReceivedLog(folder.Combine("log"), options))
        {
            foreach (var text in new[] { "0", "1", "2" }) await AddAsync(log, [text]);
            log.Commit("2");
            Assert.Single(Directory.GetFiles(folder.Combine("log")));
            log.Commit("3");
            Assert.Equal(0, log.UnreadBytes);
            Assert.Equal("CHECKPOINT_DAMAGED", Assert.Throws<StreamingException>(() => log.Read("1", "3")).Kind);
        }
        using var again = new ReceivedLog(folder.Combine("log"), options);
        again.Commit("3");
        await AddAsync(again, ["3"]);
        Assert.Equal("4", again.FindEnd("3", long.MaxValue));
        Assert.Equal(["3"], Texts(again, "3", "4"));
        Assert.Equal("CHECKPOINT_DAMAGED", Assert.Throws<StreamingException>(() => again.FindEnd("5", 1)).Kind);
    }

    [Fact]
    public async Task What_the_receiver_must_recall_stays_when_it_was_read()
    {
        using var folder = new TempDirectory();
        var options = new ReceiverOptions { SegmentBytes = 1 };
        var needed = 1L;
        using (var log = new ReceivedLog(folder.Combine("log"), options) { Needed = () => needed })
        {
            foreach (var text in new[] { "0", "1", "2", "3" }) await AddAsync(log, [text]);
            log.Commit("4");
            Assert.Equal(0, log.UnreadBytes);
            Assert.Equal(3, Directory.GetFiles(folder.Combine("log")).Length);
        }
        using var again = new ReceivedLog(folder.Combine("log"), options) { Needed = () => needed };
        Assert.True(again.Last(10).TryRead(out var oldest));
        Assert.Equal(1, oldest.Number);
        needed = long.MaxValue;
        again.Commit("4");
        Assert.Single(Directory.GetFiles(folder.Combine("log")));
    }

    [Fact]
    public async Task Who_appends_waits_or_is_told_when_too_much_waits_to_be_read()
    {
        using var folder = new TempDirectory();
        using var log = new ReceivedLog(folder.Combine("log"), new() { MaxUnreadBytes = 100 });
        await log.TryAppend(new byte[500])!;
        Assert.Null(log.TryAppend(new byte[1]));
        Assert.Null(log.TryAppend([new byte[1], new byte[1]]));
        var waiting = log.AppendAsync(new byte[1], CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        log.Commit("1");
        await (await waiting);
        Assert.Equal("2", log.FindEnd("1", 10));
        using var stop = new CancellationTokenSource();
        log.Commit("2");
        await log.TryAppend(new byte[90])!;
        waiting = log.AppendAsync(new byte[20], stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task What_a_receiver_failed_with_comes_behind_what_it_took_in()
    {
        using var folder = new TempDirectory();
        var log = new ReceivedLog(folder.Combine("log"), new() { MaxRecordBytes = 10 });
        await AddAsync(log, ["one"]);
        Assert.Equal("STREAM_RECORD_TOO_LONG", Assert.Throws<StreamingException>(() => _ = log.TryAppend(new byte[11]) is null).Kind);
        log.Fail(new IOException("The line is dead."));
        Assert.Equal("1", log.FindEnd(null, 1));
        Assert.Equal("The line is dead.", Assert.Throws<IOException>(() => log.FindEnd("1", 1)).Message);
        log.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _ = log.TryAppend("more"u8) is null);
    }

    private static async Task AddAsync(ReceivedLog log, string[] texts)
    {
        // Together in one group.
        await log.TryAppend([.. texts.Select(text => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text))])!;
    }

    private static string[] Texts(ReceivedLog log, string? start, string end) => Texts(log.Read(start, end));

    private static string[] Texts(ReceivedRange range)
    {
        var (records, texts) = (new ReceivedRecords(range.Pieces, range.Start, range.End), new List<string>());
        while (records.TryRead(out var record))
        {
            Assert.Equal(range.Start + texts.Count, record.Number);
            texts.Add(Encoding.UTF8.GetString(record.Bytes.Span));
        }
        return [.. texts];
    }
}
