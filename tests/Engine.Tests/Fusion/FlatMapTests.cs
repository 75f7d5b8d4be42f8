using System.Collections;

namespace Dataflow.Engine.Tests.Fusion;

public class FlatMapTests
{
    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Huge_expansions_come_in_chunks_of_about_a_thousand(Mode mode)
    {
        foreach (var rdd in new[]
        {
            new SourceRdd<int>([1, 2]).FlatMap(x => Enumerable.Range(0, 100_000)),
            new SourceRdd<int>([1, 2]).FlatMap(x => Enumerable.Range(0, 100_000).ToArray()),
        })
        {
            var chunks = NarrowRun.Chunks(rdd, mode);
            Assert.Equal(200_000, chunks.Sum(chunk => chunk.Length));
            Assert.All(chunks.SkipLast(1), chunk => Assert.InRange(chunk.Length, 512, 1024));
            Assert.True(Enumerable.Range(0, 100_000).Concat(Enumerable.Range(0, 100_000)).SequenceEqual(chunks.SelectMany(chunk => chunk)));
        }
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Elements_of_two_input_chunks_share_no_output_chunk(Mode mode)
    {
        var rdd = new SourceRdd<int>(Enumerable.Range(0, 500).ToArray(), length: 1).FlatMap(x => new[] { x, x }).Map(x => x);
        Assert.All(NarrowRun.Chunks(rdd, mode), chunk => Assert.Equal([chunk[0], chunk[0]], chunk));
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void A_filter_after_an_expansion_makes_no_tiny_chunks_in_the_middle_of_an_element(Mode mode)
    {
        if (mode == Mode.Plain) return;
        var rdd = new SourceRdd<int>([1]).FlatMap(x => Enumerable.Range(0, 100_000)).Filter(x => x % 5 == 0);
        Assert.All(NarrowRun.Chunks(rdd, Mode.Fused).SkipLast(1), chunk => Assert.InRange(chunk.Length, 512, 1024));
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void An_endless_expansion_can_be_given_up_and_is_disposed_once(Mode mode)
    {
        var endless = new Tracked(int.MaxValue);
        var source = new SourceRdd<int>([1, 2, 3]);
        var rdd = source.FlatMap(x => endless).Filter(x => x % 2 == 0).Map(x => x + 1);
        using (var task = NarrowRun.Task(mode))
        {
            using var reader = NarrowRun.Open(rdd, task);
            for (var i = 0; i < 3; i++) Assert.True(reader.TryRead(out _));
            Assert.Equal((1, 0), (endless.Opened, endless.Disposed));
            reader.Dispose();
            reader.Dispose();
        }
        Assert.Equal((1, 1), (endless.Opened, endless.Disposed));
        Assert.True(source.Disposed > 0);
        Assert.True(endless.Taken < 10_000);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Each_enumerator_is_disposed_once_and_before_the_next_is_opened(Mode mode)
    {
        var open = new Tracked(700);
        var inner = new Tracked(3);
        var rdd = new SourceRdd<int>(Enumerable.Range(0, 10).ToArray(), length: 3).FlatMap(x => open).FlatMap(x => inner);
        Assert.Equal(21_000, NarrowRun.Collect(rdd, mode).Count);
        Assert.Equal((10, 10, 1), (open.Opened, open.Disposed, open.MostOpen));
        Assert.Equal((7000, 7000, 1), (inner.Opened, inner.Disposed, inner.MostOpen));
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Lambdas_are_called_only_as_far_as_elements_are_asked_for(Mode mode)
    {
        var calls = new List<int>();
        var rdd = new SourceRdd<int>(Enumerable.Range(0, 1000).ToArray()).FlatMap(x =>
        {
            calls.Add(x);
            return Enumerable.Repeat(x, 600);
        });
        using var task = NarrowRun.Task(mode);
        using var reader = NarrowRun.Open(rdd, task);
        Assert.True(reader.TryRead(out _));
        Assert.Equal([0, 1], calls);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void An_iterator_that_throws_fails_the_task_with_its_own_exception_and_is_disposed(Mode mode)
    {
        var failing = new Tracked(1500, failAt: 1400);
        var outer = new Tracked(2);
        var rdd = new SourceRdd<int>([1]).FlatMap(x => outer).FlatMap(x => failing).Map(x => x);
        using var task = NarrowRun.Task(mode);
        var reader = NarrowRun.Open(rdd, task);
        Assert.True(reader.TryRead(out _));
        var error = Assert.Throws<FormatException>(() => reader.TryRead(out _));
        Assert.Equal("at 1400", error.Message);
        reader.Dispose();
        Assert.Equal((1, 1), (failing.Opened, failing.Disposed));
        Assert.Equal((1, 1), (outer.Opened, outer.Disposed));
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void An_enumerator_whose_disposal_throws_is_not_disposed_again_and_the_others_are(Mode mode)
    {
        var bad = new Tracked(2000, failDispose: true);
        var outer = new Tracked(2);
        var source = new SourceRdd<int>([1]);
        var rdd = source.FlatMap(x => outer).FlatMap(x => bad);
        using var task = NarrowRun.Task(mode);
        var reader = NarrowRun.Open(rdd, task);
        Assert.True(reader.TryRead(out _));
        Assert.Throws<NotSupportedException>(reader.Dispose);
        Assert.Equal((1, 1), (bad.Disposed, outer.Disposed));
        Assert.True(source.Disposed > 0);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void A_lambda_that_gives_null_in_place_of_a_sequence_is_named(Mode mode)
    {
        var rdd = new SourceRdd<int>([1, 2]).Map(x => x).FlatMap(x => x == 2 ? null! : new[] { x });
        var error = Assert.ThrowsAny<InvalidOperationException>(() => NarrowRun.Collect(rdd, mode));
        Assert.Contains("FlatMap at FlatMapTests.cs", error.Message);
        Assert.Contains("empty array", error.Message);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void An_expansion_of_which_nothing_is_kept_can_be_cancelled(Mode mode)
    {
        using var task = NarrowRun.Task(mode);
        var endless = new Tracked(int.MaxValue, onTaken: taken =>
        {
            if (taken == 50_000) task.Cancel();
        });
        var rdd = new SourceRdd<int>([1]).FlatMap(x => endless).Filter(x => false);
        using var reader = NarrowRun.Open(rdd, task);
        Assert.Throws<OperationCanceledException>(() => reader.TryRead(out _));
        Assert.InRange(endless.Taken, 50_000, 60_000);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void A_fold_over_an_endless_expansion_can_be_cancelled(Mode mode)
    {
        using var task = NarrowRun.Task(mode);
        var endless = new Tracked(int.MaxValue, onTaken: taken =>
        {
            if (taken == 50_000) task.Cancel();
        });
        var rdd = new SourceRdd<int>([1]).FlatMap(x => endless);
        using var reader = NarrowRun.Open(rdd, task);
        Assert.Throws<OperationCanceledException>(() => Dataflow.Fusion.ReaderFolds.Fold(reader, 0, (n, x) => n + 1, task));
        Assert.InRange(endless.Taken, 50_000, 60_000);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Arrays_of_another_static_type_are_walked_as_what_they_are(Mode mode)
    {
        var rdd = new SourceRdd<string>(["a", "b"]).FlatMap(x => (IEnumerable<object>)(object)new[] { x, x + x }).Map(x => x.ToString()!);
        Assert.Equal(["a", "aa", "b", "bb"], NarrowRun.Collect(rdd, mode));
        var unsigned = new SourceRdd<int>([1]).FlatMap(x => (IEnumerable<uint>)(object)new[] { x, -1 });
        Assert.Equal([1u, uint.MaxValue], NarrowRun.Collect(unsigned, mode));
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Keys_of_expanded_values_survive_a_stop_in_the_middle_of_an_element(Mode mode)
    {
        var operation = new Dataflow.Fusion.FlatMapValuesOperation<string, int, int>(v => Enumerable.Range(v, 1500));
        var source = new SourceRdd<(string, int)>([("a", 1), ("b", 2)]);
        var rdd = new NarrowRdd<(string Key, int Value), (string Key, int Value)>(source, "FlatMapValues", operation, keepsPartitioner: true);
        var expected = Enumerable.Range(1, 1500).Select(v => ("a", v)).Concat(Enumerable.Range(2, 1500).Select(v => ("b", v)));
        Assert.Equal(expected, NarrowRun.Collect(rdd, mode));
    }

    /// <summary>A sequence that counts who iterates over it.</summary>
    private sealed class Tracked(int length, int failAt = -1, bool failDispose = false, Action<int>? onTaken = null) : IEnumerable<int>
    {
        public int Opened { get; private set; }

        public int Disposed { get; private set; }

        public int MostOpen { get; private set; }

        public int Taken { get; private set; }

        public IEnumerator<int> GetEnumerator()
        {
            Opened++;
            MostOpen = Math.Max(MostOpen, Opened - Disposed);
            return new Enumerator(this, length, failAt, failDispose, onTaken);
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private sealed class Enumerator(Tracked owner, int length, int failAt, bool failDispose, Action<int>? onTaken) : IEnumerator<int>
        {
            public int Current { get; private set; } = -1;

            object IEnumerator.Current => Current;

            public bool MoveNext()
            {
                owner.Taken++;
                onTaken?.Invoke(owner.Taken);
                Current++;
                if (Current == failAt) throw new FormatException($"at {failAt}");
                return Current < length;
            }

            public void Reset() => throw new NotSupportedException();

            public void Dispose()
            {
                owner.Disposed++;
                if (failDispose) throw new NotSupportedException();
            }
        }
    }
}
