using System.Globalization;
using Dataflow.Streaming.DStreams;
using Dataflow.Streaming.Tests.Receivers;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.DStreams;

/// <summary>Contexts that end in the middle and go on with their checkpoint, and what receivers and files give.</summary>
public sealed class DStreamRestartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_process_that_is_killed_again_and_again_gives_the_same_answers()
    {
        const int Intervals = 11;
        using var folder = new TempDirectory();
        Directory.CreateDirectory(folder.Combine("later"));
        var random = new Random(17);
        var input = Enumerable.Range(0, Intervals).Select(_ => Enumerable.Range(0, random.Next(6)).Select(_ => "abcd"[random.Next(4)].ToString()).ToArray()).ToArray();
        for (var i = 1; i <= Intervals; i++) File.WriteAllLines(DStreamProcess.FileOf(folder.Path, "later", i), input[i - 1]);

        // State is written every third batch. The last start has nobody who kills it.
        foreach (var (step, batch) in new[] { ("planned", 2), ("run", 5), ("saved", 6), ("run", 8), ("committed", 9), ("", 0) })
        {
            using var process = DStreamProcess.Start(folder.Path, Intervals, step, batch);
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            try
            {
                await process.WaitForExitAsync().WaitAsync(Patience);
            }
            finally
            {
                if (!process.HasExited) process.Kill();
            }
            Assert.True((process.ExitCode == 0) == (step.Length == 0), $"{step} {batch}: {await output}{await error}");
        }

        var totals = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var kept = new SortedDictionary<string, (long Sum, int Last)>(StringComparer.Ordinal);
        for (var i = 1; i <= Intervals; i++)
        {
            foreach (var (key, count) in input[i - 1].CountBy(word => word)) totals[key] = totals.GetValueOrDefault(key) + count;
            Assert.Equal(totals.Select(pair => $"({pair.Key}, {pair.Value})"), Lines("total", i));
            Assert.Equal([Last(i, 3).Length.ToString(CultureInfo.InvariantCulture)], Lines("count", i));
            if (i % 3 == 0)
            {
                var sum = Enumerable.Range(Math.Max(1, i - 4), Math.Min(i, 5)).Sum(j => input.Take(j).Sum(items => items.Length));
                Assert.Equal(sum == 0 ? [] : [sum.ToString(CultureInfo.InvariantCulture)], Lines("sum", i));
            }
            if (i % 2 == 0) Assert.Equal([$"(all, {input.Take(i).Sum(items => items.Length)})"], Lines("counts", i));
            if (i % 2 == 0) Assert.Equal(Last(i, 4).CountBy(word => word).Select(pair => $"({pair.Key}, {pair.Value})").Order(StringComparer.Ordinal), Lines("window", i));
            var told = new List<string>();
            foreach (var key in kept.Keys.Where(key => !input[i - 1].Contains(key) && i - kept[key].Last >= 2).ToArray())
            {
                told.Add($"{key} {kept[key].Sum}");
                kept.Remove(key);
            }
            foreach (var word in input[i - 1])
            {
                kept[word] = (kept.GetValueOrDefault(word).Sum + 1, i);
                told.Add($"{word} {kept[word].Sum}");
            }
            Assert.Equal(told.Order(StringComparer.Ordinal), Lines("mapped", i));
        }

        // What no restart needs is gone.
        Assert.InRange(Directory.GetFiles(folder.Combine("checkpoint", "offsets")).Length, 1, 12);
        Assert.InRange(Directory.GetDirectories(folder.Combine("checkpoint", "state", "0")).Length, 1, 2);

        string[] Last(int i, int length) => [.. input.Skip(Math.Max(0, i - length)).Take(Math.Min(i, length)).SelectMany(items => items)];

        string[] Lines(string what, int i) => [.. Directory.GetFiles(folder.Combine("out", $"{what}-{i * 1000}"), "part-*").SelectMany(File.ReadAllLines).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task What_a_receiver_has_stored_comes_once_whether_the_context_stops_gracefully_or_not()
    {
        using var folder = new TempDirectory();
        var receiver = new Numbers();
        var all = new List<int>();
        var clock = new ManualTimeProvider();
        foreach (var (count, graceful) in new[] { (40, false), (30, true), (0, true) })
        {
            await using var run = new DStreamRun(clock: clock);
            run.Streaming.Checkpoint(folder.Path);
            var seen = DStreamRun.Watch(run.Streaming.ReceiverStream(receiver = new Numbers()).Map(number => number));
            run.Streaming.Start();
            await receiver.StoreAsync(Enumerable.Range(all.Count, count / 2));
            if (count > 0) await run.PassAsync(1);

            // These are in no batch yet.
            await receiver.StoreAsync(Enumerable.Range(all.Count + (count / 2), count / 2));
            await run.Streaming.StopAsync(graceful).WaitAsync(Patience);
            Assert.True(receiver.HasEnded);
            var got = seen.Values.SelectMany(items => items).ToArray();
            if (count == 40)
            {
                Assert.Equal(20, got.Length);
                all.AddRange(got);
                all.AddRange(Enumerable.Range(20, 20));
                continue;
            }
            Assert.Equal(count == 30 ? Enumerable.Range(20, 50) : [], got.Order());
            all.AddRange(Enumerable.Range(all.Count, count));
        }
    }

    [Fact]
    public async Task Batches_take_no_more_of_a_receiver_than_its_rate()
    {
        await using var run = new DStreamRun(new() { MaxRate = 5 });
        var receiver = new Numbers();
        var seen = DStreamRun.Watch(run.Streaming.ReceiverStream(receiver));
        run.Streaming.Start();
        await receiver.StoreAsync(Enumerable.Range(0, 12));
        await run.PassAsync(4);
        Assert.Equal([5, 5, 2, 0], seen.Values.Select(items => items.Length));
        Assert.Equal(Enumerable.Range(0, 12), seen.Values.SelectMany(items => items));
        Assert.Equal(0, run.Streaming.LastBatch!.InputRows);
    }

    [Fact]
    public void The_rate_goes_to_what_is_processed_and_makes_up_for_what_waits()
    {
        var rate = new RateController(TimeSpan.FromSeconds(1), least: 100, most: double.PositiveInfinity);
        Assert.Equal(double.PositiveInfinity, rate.Rate);
        rate.Note(2000, TimeSpan.FromSeconds(2), TimeSpan.Zero);
        Assert.Equal(1000, rate.Rate);

        // Half of an interval behind: a tenth less.
        rate.Note(1000, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.5));
        Assert.Equal(900, rate.Rate, 6);
        rate.Note(900, TimeSpan.FromSeconds(0.5), TimeSpan.Zero);
        Assert.Equal(1800, rate.Rate, 6);
        rate.Note(0, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Assert.Equal(1800, rate.Rate, 6);
        rate.Note(1800, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Assert.Equal(100, rate.Rate);
    }

    [Fact]
    public async Task A_receiver_that_fails_ends_the_context_after_what_it_stored()
    {
        await using var run = new DStreamRun();
        var receiver = new Numbers();
        var seen = DStreamRun.Watch(run.Streaming.ReceiverStream(receiver));
        run.Streaming.Start();
        await receiver.StoreAsync([1, 2]);
        receiver.Fail(new IOException("The line is dead."));
        Assert.Equal("The line is dead.", (await Assert.ThrowsAsync<IOException>(async () => await run.PassAsync(5))).Message);
        Assert.Equal([1, 2], seen[1]);
    }

    [Fact]
    public async Task Lines_of_a_socket_and_files_of_a_folder_are_streams()
    {
        using var folder = new TempDirectory();
        using var server = new LineServer(isHttp: false, LineServer.SendAndHold("one\ntwo\nthree\n"));
        await using var run = new DStreamRun();
        File.WriteAllText(folder.Combine("old.txt"), "old\n");
        File.SetLastWriteTimeUtc(folder.Combine("old.txt"), DateTime.UnixEpoch.AddDays(-1));
        File.WriteAllText(folder.Combine("a.txt"), "x\ny\n");
        File.WriteAllText(folder.Combine("a.bin"), "z\n");
        var lines = run.Streaming.SocketTextStream("127.0.0.1", server.Port);
        var (texts, files, lengths) = (DStreamRun.Watch(lines), DStreamRun.Watch(run.Streaming.TextFileStream(folder.Path, path => path.EndsWith(".txt", StringComparison.Ordinal))), DStreamRun.Watch(
            run.Streaming.FileStream(folder.Path, (context, paths) => context.Parallelize(paths.Select(path => new FileInfo(path).Length)), newOnly: false)));
        run.Streaming.Start();
        Assert.True(SpinWait.SpinUntil(() => ((ReceiverDStream<string>)lines).Received == 3, Patience));
        await run.PassAsync(1);
        File.WriteAllText(folder.Combine("b.txt"), "w\n");
        await run.PassAsync(1);
        Assert.Equal(["one", "two", "three"], texts[1]);
        Assert.Empty(texts[2]);
        Assert.Equal(["x", "y"], files[1]);
        Assert.Equal(["w"], files[2]);
        Assert.Equal([2L, 4, 4], lengths[1].Order());
        Assert.Equal([2L], lengths[2]);
    }

    [Fact]
    public async Task A_checkpoint_of_other_streams_or_in_use_is_a_named_error()
    {
        using var folder = new TempDirectory();
        var clock = new ManualTimeProvider();
        await using (var first = Describe(map: true, window: 2))
        {
            first.Streaming.Start();
            await using var second = Describe(map: true, window: 2);
            Assert.Equal("CHECKPOINT_IN_USE", Assert.Throws<StreamingException>(second.Streaming.Start).Kind);
            await first.PassAsync(2);
        }
        await using (var again = Describe(map: true, window: 2))
        {
            again.Streaming.Start();
            await again.PassAsync(1);
        }
        await using var other = Describe(map: false, window: 2);
        var error = Assert.Throws<StreamingException>(other.Streaming.Start);
        Assert.Equal("CHECKPOINT_OF_OTHER_QUERY", error.Kind);
        Assert.Contains("Map(0)", error.Message, StringComparison.Ordinal);
        await using var longer = Describe(map: true, window: 3);
        Assert.Contains("Window 00:00:03", Assert.Throws<StreamingException>(longer.Streaming.Start).Message, StringComparison.Ordinal);
        File.Delete(Directory.GetFiles(folder.Combine("checkpoint", "offsets")).Order().Last());
        await using var damaged = Describe(map: true, window: 2);
        Assert.Equal("CHECKPOINT_DAMAGED", Assert.Throws<StreamingException>(damaged.Streaming.Start).Kind);

        DStreamRun Describe(bool map, int window)
        {
            var run = new DStreamRun(clock: clock);
            run.Streaming.Checkpoint(folder.Combine("checkpoint"));
            var lines = run.Streaming.TextFileStream(folder.Combine("in"));
            (map ? lines.Map(line => line) : lines.Filter(_ => true)).Window(TimeSpan.FromSeconds(window)).Print(1, TextWriter.Null);
            return run;
        }
    }

    private sealed class Numbers : StreamReceiver<int>
    {
        private readonly TaskCompletionSource<ReceiverStore<int>> _store = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool HasEnded { get; private set; }

        public async Task StoreAsync(IEnumerable<int> numbers) => await (await _store.Task.WaitAsync(Patience)).StoreAsync(numbers);

        public void Fail(Exception error) => _end.SetException(error);

        protected internal override async Task ReceiveAsync(ReceiverStore<int> store, CancellationToken stop)
        {
            _store.SetResult(store);
            try
            {
                await _end.Task.WaitAsync(stop);
            }
            finally
            {
                HasEnded = true;
            }
        }
    }
}
