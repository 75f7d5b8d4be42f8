using Dataflow.Cluster;
using Dataflow.Storage;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>The pieces of broadcast values that an executor keeps for others, and the memory that they are charged to.</summary>
public sealed class BroadcastFetcherTests : IDisposable
{
    private const long MB = 1 << 20;

    private readonly NativePool _pool = new(new NativePoolOptions { HugePages = false });
    private readonly MemoryBudget _budget;
    private readonly BroadcastFetcher _fetcher;
    private readonly byte[] _value = new byte[10 * MB];
    private readonly byte[][] _pieces;
    private int _next, _fetched;

    public BroadcastFetcherTests()
    {
        new Random(5).NextBytes(_value);
        _pieces = BroadcastPieces.Cut(_value);
        _budget = new MemoryBudget(64 * MB, _pool, TimeSpan.Zero);
        _fetcher = new BroadcastFetcher(_budget, Hear, (_, name) => { _fetched++; return _pieces[name.Second]; }, new TaskCompletionSource().Task);
    }

    public void Dispose()
    {
        _fetcher.Dispose();
        _budget.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public void Pieces_are_charged_until_they_are_dropped()
    {
        Assert.True(_fetcher.Fetch(1).Span.SequenceEqual(_value));
        Assert.Equal(_pieces.Sum(piece => (long)piece.Length), Charged);
        Assert.NotNull(_fetcher.Open(Name(2)));
        _fetcher.Drop(1);
        Assert.Equal(0, Charged);
        Assert.Null(_fetcher.Open(Name(2)));
    }

    [Fact]
    public void Pieces_make_room_for_who_needs_it_more_and_are_fetched_again()
    {
        _fetcher.Fetch(1);
        using (var work = new Work(_budget))
        {
            _budget.Reserve(60 * MB, work);
            Assert.Equal(0, Charged);
            Assert.Null(_fetcher.Open(Name(0)));
            _budget.Release(60 * MB, work);
        }
        Assert.True(_fetcher.Fetch(1).Span.SequenceEqual(_value));
        Assert.Equal(2 * _pieces.Length, _fetched);
        Assert.Equal(_pieces.Sum(piece => (long)piece.Length), Charged);
    }

    [Fact]
    public void A_value_for_which_there_is_no_room_is_an_error_that_names_who_has_it()
    {
        using var work = new Work(_budget);
        _budget.Reserve(60 * MB, work);
        var error = Assert.Throws<MemoryExhaustedException>(() => _fetcher.Fetch(1));
        Assert.Contains("pieces of broadcasts", error.Message);
        Assert.Contains("work of a test", error.Message);
        _budget.Release(60 * MB, work);
    }

    private long Charged => _budget.Consumers.Where(each => each.Consumer == "pieces of broadcasts").Sum(each => each.Bytes);

    private static BlockName Name(int piece) => BlockName.Broadcast(new BroadcastBlockId(1, piece));

    // The driver, which names itself for one piece after the other.
    private void Hear(ControlMessage message)
    {
        if (message is WantPiece want) Task.Run(() => _fetcher.Answer(new PieceAt(want.Broadcast, _next++ % _pieces.Length, _pieces.Length, null, null)));
    }

    private sealed class Work(MemoryBudget budget) : MemoryConsumer(budget, "work of a test", MemoryPriority.Work)
    {
        protected internal override long OnRevoke(long bytes) => 0;
    }
}
