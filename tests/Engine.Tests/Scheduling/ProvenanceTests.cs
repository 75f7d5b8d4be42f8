using Dataflow.Scheduling;
using Dataflow.TestKit;
using Dataflow.Tracking;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>What is found to be made from rows that are made anew, and what is left alone.</summary>
public sealed class ProvenanceTests
{
    private readonly Provenance _provenance = new();

    [Fact]
    public void All_that_was_made_from_a_shuffle_is_found_at_any_distance()
    {
        var first = Shuffle();
        var second = Shuffle(first);
        var third = Shuffle(second);
        var other = Shuffle();
        var both = Shuffle(third, other);
        Assert.Equal(Set(second, third, both), Set(_provenance.MadeFrom(first.ShuffleId)));
        Assert.Equal(Set(both), Set(_provenance.MadeFrom(other.ShuffleId)));
        Assert.Empty(_provenance.MadeFrom(both.ShuffleId));
    }

    [Fact]
    public void A_kept_rdd_stands_for_what_is_below_it_and_is_found_too()
    {
        var first = Shuffle();
        var kept = KeptRdd(first);
        var second = Shuffle(new OneToOneDependency(kept));
        Assert.Equal(Set(Kept.Of(kept)), Set(_provenance.ReadBy(second.Rdd)));
        Assert.Equal(Set(Kept.Of(kept), Kept.Of(second.ShuffleId)), Set(_provenance.MadeFrom(first.ShuffleId)));
    }

    [Fact]
    public void What_was_made_from_something_removed_counts_as_made_from_what_that_was_made_from()
    {
        var first = Shuffle();
        var kept = KeptRdd(first);
        var second = Shuffle(new OneToOneDependency(kept));
        var third = Shuffle(second);
        _provenance.Remove(Kept.Of(kept));
        _provenance.Remove(Kept.Of(second.ShuffleId));
        Assert.Equal(Set(third), Set(_provenance.MadeFrom(first.ShuffleId)));
        Assert.Equal(2, _provenance.Count);
    }

    [Fact]
    public void Nothing_is_left_when_all_is_removed_in_whatever_order()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var shuffles = new List<TestShuffle>();
            for (var i = 0; i < 12; i++) shuffles.Add(Shuffle([.. shuffles.Where(_ => random.Next(3) == 0)]));
            foreach (var shuffle in shuffles.OrderBy(_ => random.Next()).ToArray()) _provenance.Remove(Kept.Of(shuffle.ShuffleId));
            Assert.True(_provenance.Count == 0, $"seed {seed}");
            Assert.All(shuffles, shuffle => Assert.Empty(_provenance.MadeFrom(shuffle.ShuffleId)));
        }
    }

    private TestShuffle Shuffle(params Dependency[] reads)
    {
        var shuffle = new TestShuffle(new TestRdd(2, reads), 2);
        _provenance.Add(shuffle);
        return shuffle;
    }

    private static TestRdd KeptRdd(params Dependency[] reads)
    {
        var rdd = new TestRdd(2, reads);
        rdd.SetStorageLevel(StorageLevel.MemoryOnly);
        return rdd;
    }

    private static string Set(params TestShuffle[] shuffles) => Set(shuffles.Select(shuffle => Kept.Of(shuffle.ShuffleId)));

    private static string Set(params IEnumerable<Kept> kept) => string.Join(", ", kept.OrderBy(one => one.IsShuffle).ThenBy(one => one.Id));
}
