using Dataflow.Streaming.DStreams;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.DStreams;

/// <summary>Verbs on the Rdd of each interval give what LINQ gives of its elements.</summary>
public sealed class DStreamVerbTests
{
    private const int Intervals = 6;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Each_verb_gives_what_linq_gives_of_each_interval(int seed)
    {
        var (left, right) = (Make(seed), Make(seed + 100));
        await using var run = new DStreamRun();
        var (words, others) = (run.Of(left), run.Of(right));
        var pairs = words.Map(word => (word, word.Length));
        var otherPairs = others.Map(word => (word, word[0]));

        var checks = new List<Action<int, string[], string[]>>();
        Check(words.Map(word => word.ToUpperInvariant()), (items, _) => items.Select(word => word.ToUpperInvariant()));
        Check(words.FlatMap(word => word.ToCharArray()), (items, _) => items.SelectMany(word => word.ToCharArray()));
        Check(words.Filter(word => word.Length > 2), (items, _) => items.Where(word => word.Length > 2));
        Check(words.MapPartitions(items => items.Select(word => word + "!")), (items, _) => items.Select(word => word + "!"));
        Check(words.Glom().Map(part => part.Length).Reduce((a, b) => a + b), (items, _) => [items.Length]);
        Check(words.Repartition(3), (items, _) => items);
        Check(words.Union(others), (items, more) => items.Concat(more));
        Check(words.Count(), (items, _) => [items.LongLength]);
        Check(pairs.Map(pair => pair.Item2).Reduce((a, b) => a + b), (items, _) => items.Length == 0 ? [] : [items.Sum(word => word.Length)]);
        Check(words.CountByValue(), (items, _) => items.CountBy(word => word).Select(pair => (pair.Key, (long)pair.Value)));
        Check(words.Transform(rdd => rdd.Distinct()), (items, _) => items.Distinct());
        Check(words.TransformWith(others, (a, b, _) => a.Subtract(b)), (items, more) => items.Where(word => !more.Contains(word)));
        Check(run.Streaming.Transform([words, others], (rdds, _) => rdds[0].Intersection(rdds[1])), (items, more) => items.Intersect(more));
        Check(pairs.ReduceByKey((a, b) => a + b), (items, _) => items.GroupBy(word => word).Select(group => (group.Key, group.Sum(word => word.Length))));
        Check(pairs.GroupByKey().MapValues(values => values.Count), (items, _) => items.GroupBy(word => word).Select(group => (group.Key, group.Count())));
        Check(pairs.CombineByKey(value => (long)value, (sum, value) => sum + value, (a, b) => a + b), (items, _) => items.GroupBy(word => word).Select(group => (group.Key, group.Sum(word => (long)word.Length))));
        Check(pairs.FlatMapValues(value => Enumerable.Range(0, value)), (items, _) => items.SelectMany(word => Enumerable.Range(0, word.Length).Select(i => (word, i))));
        Check(pairs.Join(otherPairs), (items, more) => items.SelectMany(word => more.Where(other => other == word).Select(other => (word, (word.Length, other[0])))));
        Check(
            pairs.LeftOuterJoin(otherPairs).MapValues(value => value.Right.HasValue),
            (items, more) => items.SelectMany(word => more.Where(other => other == word).Select(_ => true).DefaultIfEmpty(false).Select(found => (word, found))));
        Check(pairs.RightOuterJoin(otherPairs).MapValues(value => value.Right), (items, more) => more.SelectMany(other => items.Where(word => word == other).DefaultIfEmpty().Select(_ => (other, other[0]))));
        Check(pairs.FullOuterJoin(otherPairs).Map(pair => pair.Key).Transform(rdd => rdd.Distinct()), (items, more) => items.Union(more));
        Check(
            pairs.CoGroup(otherPairs).MapValues(groups => (groups.Left.Count, groups.Right.Count)),
            (items, more) => items.Union(more).Select(key => (key, (items.Count(word => word == key), more.Count(word => word == key)))));
        run.Streaming.Start();
        await run.PassAsync(Intervals);
        for (var i = 0; i < Intervals; i++)
        {
            foreach (var check in checks) check(i, left[i], right[i]);
        }

        void Check<T>(DStream<T> stream, Func<string[], string[], IEnumerable<T>> oracle)
        {
            var (seen, number) = (DStreamRun.Watch(stream), checks.Count);
            checks.Add((i, items, more) => Assert.True(
                oracle(items, more).Order().SequenceEqual(seen[i + 1].Order()), $"Seed {seed}, stream {number}, interval {i + 1}: {string.Join(' ', seen[i + 1])} and not {string.Join(' ', oracle(items, more))}"));
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Windows_and_state_give_what_linq_gives_of_all_intervals_so_far(int seed)
    {
        const int All = 12;
        var input = Make(seed, All);
        await using var run = new DStreamRun(new() { CheckpointInterval = TimeSpan.FromSeconds(4) });
        var words = run.Of(input);
        var ones = words.Map(word => (word, 1L));
        var window = DStreamRun.Watch(words.Window(Seconds(3), Seconds(2)));
        var reduced = DStreamRun.Watch(words.Map(word => word.Length).ReduceByWindow((a, b) => a + b, Seconds(4)));
        var inverse = DStreamRun.Watch(words.Map(word => word.Length).ReduceByWindow((a, b) => a + b, (a, b) => a - b, Seconds(4)));
        var counted = DStreamRun.Watch(words.CountByWindow(Seconds(3)));
        var values = DStreamRun.Watch(words.CountByValueAndWindow(Seconds(4), Seconds(2)));
        var byKey = DStreamRun.Watch(ones.ReduceByKeyAndWindow((a, b) => a + b, Seconds(3)));
        var byKeyInverse = DStreamRun.Watch(ones.ReduceByKeyAndWindow((a, b) => a + b, (a, b) => a - b, Seconds(3), keep: pair => pair.Value > 0));
        var grouped = DStreamRun.Watch(ones.GroupByKeyAndWindow(Seconds(6), Seconds(3)).MapValues(list => (long)list.Count));
        var nested = DStreamRun.Watch(words.Window(Seconds(2), Seconds(2)).Window(Seconds(4)));
        var updated = DStreamRun.Watch(ones.UpdateStateByKey<string, long, long>((come, before) => come.Count == 0 && before.Or(0) > 6 ? default : new(true, before.Or(0) + come.Sum())));
        var rarely = DStreamRun.Watch(ones.UpdateStateByKey<string, long, long>((come, before) => new(true, before.Or(0) + come.Sum())).Window(Seconds(1), Seconds(5)));
        var mapped = ones.MapWithState(new StateSpec<string, long, long, string>((key, value, state) =>
        {
            if (state.IsTimingOut) return $"{key} out {state.Value}";
            state.Update(state.ValueOr(0) + value.Value);
            return $"{key} {state.Value}";
        }) { Timeout = Seconds(2) });
        var (told, snapshots) = (DStreamRun.Watch(mapped), DStreamRun.Watch(mapped.StateSnapshots()));
        run.Streaming.Start();
        await run.PassAsync(All);

        var sums = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var kept = new SortedDictionary<string, (long Sum, int Last)>(StringComparer.Ordinal);
        for (var i = 1; i <= All; i++)
        {
            if (i % 2 == 0)
            {
                Same(Last(i, 3), window[i], "window");
                Same(Last(i, 4).CountBy(word => word).Select(pair => (pair.Key, (long)pair.Value)), values[i], "values");
                Same(Last(i, 4), nested[i], "nested");
            }
            else
            {
                Assert.False(window.ContainsKey(i) || values.ContainsKey(i) || nested.ContainsKey(i));
            }
            if (i % 3 == 0) Same(Last(i, 6).CountBy(word => word).Select(pair => (pair.Key, (long)pair.Value)), grouped[i], "grouped");
            Same(Last(i, 4).Length == 0 ? [] : [Last(i, 4).Sum(word => word.Length)], reduced[i], "reduced");
            Same([Last(i, 4).Sum(word => word.Length)], inverse[i].DefaultIfEmpty(), "inverse");
            Same([Last(i, 3).LongLength], counted[i], "counted");
            var three = Last(i, 3).CountBy(word => word).Select(pair => (pair.Key, (long)pair.Value)).ToArray();
            Same(three, byKey[i], "byKey");
            Same(three, byKeyInverse[i], "byKeyInverse");

            foreach (var key in sums.Keys.Union(input[i - 1]).ToArray())
            {
                var come = input[i - 1].Count(word => word == key);
                if (come == 0 && sums[key] > 6) sums.Remove(key);
                else sums[key] = sums.GetValueOrDefault(key) + come;
            }
            if (i % 5 == 0) Same(input.Take(i).SelectMany(items => items).CountBy(word => word).Select(pair => (pair.Key, (long)pair.Value)), rarely[i], "rarely");
            Same(sums.Select(pair => (pair.Key, pair.Value)), updated[i], "updated");

            var expected = new List<string>();
            foreach (var key in kept.Keys.Where(key => !input[i - 1].Contains(key) && i - kept[key].Last >= 2).ToArray())
            {
                expected.Add($"{key} out {kept[key].Sum}");
                kept.Remove(key);
            }
            foreach (var word in input[i - 1])
            {
                kept[word] = (kept.GetValueOrDefault(word).Sum + 1, i);
                expected.Add($"{word} {kept[word].Sum}");
            }
            Same(expected, told[i], "told");
            Same(kept.Select(pair => (pair.Key, pair.Value.Sum)), snapshots[i], "snapshots");

            void Same<T>(IEnumerable<T> wanted, IEnumerable<T> got, string what) =>
                Assert.True(wanted.Order().SequenceEqual(got.Order()), $"Seed {seed}, interval {i}, {what}: {string.Join(' ', got)} and not {string.Join(' ', wanted)}");
        }

        string[] Last(int i, int length) => [.. input.Skip(Math.Max(0, i - length)).Take(Math.Min(i, length)).SelectMany(items => items)];
    }

    [Fact]
    public async Task State_begins_with_what_it_is_given()
    {
        await using var run = new DStreamRun();
        var initial = run.Context.Parallelize([("a", 10L), ("b", 20L)], 1);
        var ones = run.Of<string>([["a"], [], []]).Map(word => (word, 1L));
        var updated = DStreamRun.Watch(ones.UpdateStateByKey<string, long, long>((come, before) => new(true, before.Or(0) + come.Sum()), initial: initial));
        var mapped = DStreamRun.Watch(ones.MapWithState(new StateSpec<string, long, long, string>((_, key, value, state) =>
            value.HasValue ? default : new(true, $"{key} {state.Value}")) { InitialState = initial, Timeout = Seconds(2) }));
        run.Streaming.Start();
        await run.PassAsync(3);
        Assert.Equal([("a", 11L), ("b", 20L)], updated[1].Order());
        Assert.Equal([[], ["b 20"], ["a 10"]], mapped.Values);
    }

    [Fact]
    public async Task Outputs_print_and_write_folders_and_slices_are_remembered()
    {
        using var folder = new TempDirectory();
        await using var run = new DStreamRun();
        var words = run.Of<string>([["x", "y", "z"], ["w"]], partitions: 1);
        using var printed = new StringWriter();
        words.Print(2, printed);
        words.SaveAsTextFiles(folder.Combine("words"), "txt");
        run.Streaming.Remember(Seconds(10));
        run.Streaming.Start();
        await run.PassAsync(2);
        Assert.Equal("1970-01-01 00:00:01.000\nx\ny\n...\n1970-01-01 00:00:02.000\nw\n", printed.ToString());
        Assert.Equal(["x", "y", "z"], run.Context.TextFile(folder.Combine("words-1000.txt")).Collect());
        Assert.Equal([3, 1], words.Slice(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch + Seconds(9)).Select(rdd => rdd.Count()));
    }

    [Fact]
    public async Task What_can_not_work_is_said_when_it_is_described()
    {
        using var folder = new TempDirectory();
        await using var run = new DStreamRun();
        var words = run.Of<string>([["x"]]);
        foreach (var error in new[]
        {
            Assert.Throws<StreamingException>(() => words.Window(TimeSpan.FromSeconds(1.5))),
            Assert.Throws<StreamingException>(() => words.Window(Seconds(2), TimeSpan.Zero)),
            Assert.Throws<StreamingException>(() => words.Window(Seconds(2), Seconds(2)).CountByWindow(Seconds(3))),
        }) Assert.Equal("WINDOW_OF_INTERVALS", error.Kind);
        Assert.Equal("SLIDES_DIFFER", Assert.Throws<StreamingException>(() => words.Union(words.Window(Seconds(2), Seconds(2)))).Kind);
        Assert.Contains("output", Assert.Throws<InvalidOperationException>(run.Streaming.Start).Message, StringComparison.Ordinal);
        words.Print(1, TextWriter.Null);
        run.Streaming.Checkpoint(folder.Path);
        Assert.Equal("NO_RESTART", Assert.Throws<StreamingException>(run.Streaming.Start).Kind);
    }

    [Fact]
    public async Task An_output_that_fails_ends_the_context_with_its_error()
    {
        await using var run = new DStreamRun();
        run.Of<string>([["x"]]).ForeachRdd((Rdd<string> _) => throw new IOException("The sink is full."));
        run.Streaming.Start();
        Assert.Equal("The sink is full.", (await Assert.ThrowsAsync<IOException>(() => run.PassAsync(1))).Message);
        Assert.Throws<InvalidOperationException>(() => run.Streaming.Remember(Seconds(1)));
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static string[][] Make(int seed, int intervals = Intervals)
    {
        var random = new Random(seed);
        string[] words = ["a", "bb", "ccc", "dd", "e"];
        return [.. Enumerable.Range(0, intervals).Select(_ => Enumerable.Range(0, random.Next(7)).Select(_ => words[random.Next(words.Length)]).ToArray())];
    }
}
