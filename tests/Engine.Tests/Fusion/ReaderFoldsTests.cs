using Dataflow.Fusion;

namespace Dataflow.Engine.Tests.Fusion;

public class ReaderFoldsTests
{
    private static readonly int[] Items = [.. Enumerable.Range(-500, 3000)];

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void A_fold_sees_every_element_in_order(Mode mode)
    {
        foreach (var length in new[] { 1, 7, 1000, 5000 })
        {
            var source = new SourceRdd<int>(Items, length);
            Assert.Equal(string.Join(",", Items), NarrowRun.Fold(source, "", (text, x) => text.Length == 0 ? $"{x}" : $"{text},{x}", mode));
            Assert.Equal(
                Items.Where(x => x % 2 == 0).SelectMany(x => Enumerable.Repeat((long)x, 3)).Aggregate(1L, (h, x) => (h * 31) + x),
                NarrowRun.Fold(
                    source.Filter(x => x % 2 == 0).FlatMap(x => Enumerable.Repeat((long)x, 3)), 1L, (h, x) => unchecked((h * 31) + x), mode));
        }
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void A_reduction_begins_with_the_first_element_and_tells_when_there_is_none(Mode mode)
    {
        using var task = NarrowRun.Task(mode);
        foreach (var count in new[] { 0, 1, 2, 99, 100, 101, 2000 })
        {
            var source = new SourceRdd<int>(Items[..count], 50);
            foreach (var rdd in new[] { source, source.Map(x => x), source.FlatMap(x => new[] { x }) })
            {
                using var reader = NarrowRun.Open(rdd, task);
                Assert.Equal(count > 0, reader.TryReduce((a, b) => (a * 3) ^ b, task, out var result));
                Assert.Equal(count > 0 ? Items[..count].Aggregate((a, b) => (a * 3) ^ b) : 0, result);
            }
        }
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Elements_are_counted_and_given_to_an_action_once_each(Mode mode)
    {
        using var task = NarrowRun.Task(mode);
        var source = new SourceRdd<int>(Items, 70);
        foreach (var (rdd, expected) in new[] { (source, 3000L), (source.Filter(x => x > 0), 2499L), (source.FlatMap(x => new int[x & 3]), 4500L) })
        {
            using var reader = NarrowRun.Open(rdd, task);
            Assert.Equal(expected, reader.CountElements(task));
        }

        var seen = new List<int>();
        using var each = NarrowRun.Open(source.Filter(x => x % 2 == 0), task);
        each.ForEach(seen.Add, task);
        Assert.Equal(Items.Where(x => x % 2 == 0), seen);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void A_reader_that_has_been_read_from_is_folded_from_there_on(Mode mode)
    {
        using var task = NarrowRun.Task(mode);
        var source = new SourceRdd<int>(Items, 70);
        foreach (var rdd in new[] { source, source.Map(x => x), source.FlatMap(x => new[] { x }) })
        {
            using var reader = NarrowRun.Open(rdd, task);
            Assert.True(reader.TryRead(out var chunk));
            Assert.Equal(70, chunk.Length);
            Assert.Equal(Items[70..].Sum(), reader.Fold(0, (s, x) => s + x, task));
        }
    }
}
