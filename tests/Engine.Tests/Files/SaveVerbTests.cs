using System.Runtime.InteropServices;
using Dataflow.Files;
using Dataflow.Formats;

namespace Dataflow.Engine.Tests.Files;

public sealed class SaveVerbTests : IDisposable
{
    private readonly Scratch _scratch = new(DataflowOptions.Default with { Threads = 2, TaskMaxAttempts = 2 });

    private DataflowContext Context => _scratch.Context;

    [Fact]
    public void Text_saved_is_text_read()
    {
        var lines = Enumerable.Range(0, 5000).Select(i => $"line {i}").ToArray();
        Context.Parallelize(lines, 7).SaveAsText(_scratch["out"]);

        Assert.Equal([.. Enumerable.Range(0, 7).Select(i => $"out/part-0000{i}").Prepend("out/_SUCCESS")], _scratch.Names);
        Assert.Equal(lines, Context.TextFile(_scratch["out"], 3).Collect());
    }

    [Theory]
    [InlineData("gzip", ".gz")]
    [InlineData("lz4", ".lz4")]
    [InlineData("brotli", ".br")]
    public void Compressed_text_saved_is_text_read(string codec, string extension)
    {
        Context.Range(0, 10_000, partitions: 3).SaveAsText(_scratch["out"], codec: codec);
        Assert.Contains($"out/part-00002{extension}", _scratch.Names);
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => $"{i}"), Context.TextFile(_scratch["out"]).Collect());
    }

    [Theory]
    [InlineData(null, "all.txt")]
    [InlineData("gzip", "all.txt.gz")]
    [InlineData("lz4", "all.txt.lz4")]
    [InlineData("snappy", "all.txt.sz")]
    public void One_file_has_all_lines_in_order(string? codec, string name)
    {
        Context.Range(0, 10_000, partitions: 5).SaveAsSingleText(_scratch[name], codec: codec);
        Assert.Equal([name], _scratch.Names);
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => $"{i}"), Context.TextFile(_scratch[name]).Collect());
    }

    [Fact]
    public void Objects_saved_are_objects_read()
    {
        var pairs = Enumerable.Range(0, 3000).Select(i => (Key: i, Word: i % 5 == 0 ? null : $"w{i}")).ToArray();
        Context.Parallelize(pairs, 3).SaveAsObjects(_scratch["out"]);
        Assert.Equal(pairs, Context.ObjectFile<(int, string?)>(_scratch["out"]).Collect());
    }

    [Fact]
    public void Records_saved_are_records_read()
    {
        Context.Range(0, 10_000, partitions: 3).SaveAsRecords(_scratch["out"]);
        Assert.Equal(80_000, _scratch.Names.Sum(name => new FileInfo(_scratch[name]).Length));
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => (long)i), Context.FixedRecords<long>(_scratch["out"], 4).Collect());

        Context.BinaryRecords(_scratch["out"], 8).Map(record => record.Reverse().ToArray()).SaveAsBinaryRecords(_scratch["reversed"], 8);
        Assert.Equal(BitConverter.GetBytes(9_999L).Reverse(), Context.BinaryRecords(_scratch["reversed"], 8).Collect()[^1]);
    }

    [Fact]
    public void A_format_of_ones_own_is_used()
    {
        Context.Parallelize(["a", "b", "c"], 2).SaveAs(_scratch["out"], new Shouting());
        Assert.Equal(["out/_SUCCESS", "out/part-00000.loud", "out/part-00001.loud"], _scratch.Names);
        Assert.Equal("B!C!", File.ReadAllText(_scratch["out/part-00001.loud"]));
    }

    [Fact]
    public void An_empty_rdd_gives_an_empty_finished_folder()
    {
        Context.Empty<string>().SaveAsText(_scratch["out"]);
        Assert.Equal(["out/_SUCCESS"], _scratch.Names);
        Assert.Empty(Context.TextFile(_scratch["out"]).Collect());
    }

    [Fact]
    public void A_failed_job_leaves_nothing_and_keeps_what_was_there()
    {
        var failing = Context.Range(0, 100, partitions: 4).Map(i => i == 77 ? throw new InvalidOperationException("seventy-seven") : i);

        Assert.Throws<JobFailedException>(() => failing.SaveAsText(_scratch["out"]));
        Assert.Empty(_scratch.Names);
        _scratch.Write("out/old", "old");
        Assert.Throws<JobFailedException>(() => failing.SaveAsText(_scratch["out"], overwrite: true));
        Assert.Equal(["out/old"], _scratch.Names);
    }

    [Fact]
    public async Task A_cancelled_job_leaves_nothing()
    {
        using var cancellation = new CancellationTokenSource();
        using var started = new ManualResetEventSlim();
        var signal = started.WaitHandle;
        var gate = started;
        var saving = Context.Range(0, long.MaxValue / 2, partitions: 4).Filter(i =>
        {
            gate.Set();
            return false;
        }).SaveAsTextAsync(_scratch["out"], cancellationToken: cancellation.Token);
        Assert.True(signal.WaitOne(TimeSpan.FromSeconds(30)));
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => saving);
        Context.Dispose();
        Assert.Empty(_scratch.Names);
    }

    [Fact]
    public void A_task_that_fails_once_writes_its_part_once()
    {
        var tries = new int[1];
        Context.Range(0, 1000, partitions: 2).MapPartitionsWithIndex((index, items) => FailOnce(index, items, tries)).SaveAsText(_scratch["out"]);

        Assert.Equal(2, tries[0]);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i}"), Context.TextFile(_scratch["out"]).Collect());
        Assert.Equal(["out/_SUCCESS", "out/part-00000", "out/part-00001"], _scratch.Names);
    }

    [Fact]
    public void Input_may_be_overwritten_by_what_is_made_of_it()
    {
        Context.Parallelize([1, 2, 3], 2).SaveAsText(_scratch["data"]);
        Context.TextFile(_scratch["data"]).Map(line => int.Parse(line) * 10).SaveAsText(_scratch["data"], overwrite: true);
        Assert.Equal(["10", "20", "30"], Context.TextFile(_scratch["data"]).Collect());
    }

    [Fact]
    public void Wrong_arguments_are_refused_where_they_are_written()
    {
        var numbers = Context.Parallelize([1, 2, 3]);
        Assert.Throws<ArgumentException>(() => numbers.SaveAsText(_scratch["out"], codec: "zip"));
        Assert.Throws<ArgumentException>(() => numbers.SaveAsSingleText(_scratch["out"], codec: "brotli"));
        Assert.Throws<ArgumentException>(() => numbers.SaveAsText(" "));
        Assert.Throws<ArgumentException>(() => numbers.SaveAsText("gopher://x/y"));
        Assert.Throws<CodecException>(() => numbers.Map(i => new Thread(() => { })).SaveAsObjects(_scratch["out"]));
        Assert.Throws<CodecException>(() => Context.ObjectFile<Thread>(_scratch["out"]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Context.TextFile(_scratch["out"], -1));
        Assert.Empty(_scratch.Names);
    }

    [Fact]
    public void A_full_disk_fails_the_job_with_the_file_and_its_room_and_leaves_nothing()
    {
        var system = new FaultyFileSystem { Room = 100_000 };
        var error = Assert.Throws<JobFailedException>(() =>
            Context.Range(0, 1_000_000, partitions: 2).SaveAsText(system.Of(_scratch["out"])));

        Assert.Contains("The disk is full", error.Message);
        Assert.Contains("part-0000", error.Message);
        Assert.Empty(_scratch.Names);
    }

    [Fact]
    public void Words_are_counted_from_file_to_file()
    {
        _scratch.Write("in/a.txt", "to be or not to be\n");
        _scratch.Write("in/b.txt", "be\r\n");
        Context.TextFile(_scratch["in/*.txt"]).FlatMap(line => line.Split(' ')).Map(word => (word, 1)).ReduceByKey((a, b) => a + b, 2)
            .SaveAsSingleText(_scratch["counts"]);

        Assert.Equal(["(be, 3)", "(not, 1)", "(or, 1)", "(to, 2)"], File.ReadAllLines(_scratch["counts"]).Order(StringComparer.Ordinal));
    }

    public void Dispose() => _scratch.Dispose();

    private static IEnumerable<long> FailOnce(int index, IEnumerable<long> items, int[] tries)
    {
        foreach (var item in items)
        {
            if (index == 1 && item == 900 && Interlocked.Increment(ref tries[0]) == 1) throw new InvalidOperationException("the first time");
            yield return item;
        }
    }

    private sealed class Shouting : IFileFormat<string>
    {
        public string Extension => ".loud";

        public IFileWriter<string> Open(Stream stream) => new Writer(stream);

        private sealed class Writer(Stream stream) : IFileWriter<string>
        {
            public void Write(ReadOnlySpan<string> items)
            {
                foreach (var item in items) stream.Write(MemoryMarshal.AsBytes<char>(item.ToUpperInvariant().ToCharArray()).ToArray().Where(b => b != 0).Append((byte)'!').ToArray());
            }

            public void Complete() { }

            public void Dispose() { }
        }
    }
}
