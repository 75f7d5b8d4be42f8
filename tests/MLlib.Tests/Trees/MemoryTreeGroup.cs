using Dataflow.Collectives;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>Shards on threads of one process that exchange in memory.</summary>
internal sealed class MemoryTreeGroup(MemoryTreeGroup.Meeting meeting, int index) : ITreeGroup
{
    private readonly Queue<long[]> begun = [];

    public int Shards => meeting.Shards;

    public int Index => index;

    /// <summary>Runs a piece in each shard, each on a thread of its own.</summary>
    public static T[] Run<T>(int shards, Func<ITreeGroup, T> piece)
    {
        using var meeting = new Meeting(shards);
        var results = new T[shards];
        Exception? failure = null;
        var threads = Enumerable.Range(0, shards).Select(i => new Thread(() =>
        {
            try
            {
                results[i] = piece(new MemoryTreeGroup(meeting, i));
            }
            catch (Exception error)
            {
                Interlocked.CompareExchange(ref failure, error, null);
                meeting.Leave();
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return failure is null ? results : throw failure;
    }

    public void AllReduceSum(Span<long> values)
    {
        var all = meeting.Exchange(index, values.ToArray());
        values.Clear();
        foreach (var part in all)
        {
            for (var i = 0; i < values.Length; i++) values[i] += ((long[])part)[i];
        }
    }

    public PendingReduction BeginReduceSum(ReadOnlySpan<long> values)
    {
        begun.Enqueue(values.ToArray());
        return default;
    }

    public void EndReduceSum(PendingReduction pending, Span<long> values)
    {
        Assert.Equal(begun.Dequeue(), values);
        AllReduceSum(values);
    }

    public PendingReduction BeginScatterSum(ReadOnlySpan<long> values) => BeginReduceSum(values);

    public void EndScatterSum(PendingReduction pending, Span<long> values)
    {
        var sums = values.ToArray();
        EndReduceSum(pending, sums);
        var share = values.Length / Shards;
        Assert.Equal(values.Length, share * Shards);

        // What is another shard's must not be looked at.
        values.Fill(-1);
        sums.AsSpan(Index * share, share).CopyTo(values[(Index * share)..]);
    }

    public void AllReduceMax(Span<double> values)
    {
        foreach (var part in meeting.Exchange(index, values.ToArray()))
        {
            for (var i = 0; i < values.Length; i++) values[i] = Math.Max(values[i], ((double[])part)[i]);
        }
    }

    public T[][] AllGather<T>(ReadOnlySpan<T> values)
        where T : unmanaged => [.. meeting.Exchange(index, values.ToArray()).Cast<T[]>()];

    internal sealed class Meeting(int shards) : IDisposable
    {
        private readonly Barrier barrier = new(shards);
        private readonly object[] places = new object[shards];

        public int Shards => shards;

        public object[] Exchange(int index, object mine)
        {
            places[index] = mine;
            barrier.SignalAndWait();
            var all = places.ToArray();
            barrier.SignalAndWait();
            return all;
        }

        public void Leave() => barrier.RemoveParticipant();

        public void Dispose() => barrier.Dispose();
    }
}
