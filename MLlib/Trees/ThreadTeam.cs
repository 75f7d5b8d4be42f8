using System.Runtime.ExceptionServices;

namespace Dataflow.MLlib.Trees;

/// <summary>
/// A few threads that do many short pieces of work together. The caller works too, and takes whatever nobody else has begun: where the machine is busy with other
/// things it does all of it alone and waits for none who has not come. Others wait for work by spinning briefly and parking then, so that a piece of work begins
/// and ends within about a microsecond, which a thread pool does not do.
/// </summary>
/// <remarks>Used by one thread at a time. What a piece throws is thrown to the caller once all pieces that were begun are done.</remarks>
internal sealed class ThreadTeam : IDisposable
{
    private const int Spins = 1000;
    private const long Open = 1L << 31;
    private readonly Thread[] threads;
    private readonly SemaphoreSlim[] parking;
    private readonly int[] parked;
    private readonly int spins;

    // The number of the round, whether it still takes helpers, and how many are at work in it.
    private long state;
    private Action<int, int>? work;
    private int pieces;
    private int next;
    private Exception? failure;
    private volatile bool ended;

    /// <param name="size">Members, the caller included; at least 1.</param>
    public ThreadTeam(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        Size = size;

        // Spinning where there are not enough processors only takes them from those who work.
        spins = size <= Environment.ProcessorCount ? Spins : 0;
        threads = new Thread[size - 1];
        parking = new SemaphoreSlim[size - 1];
        parked = new int[size - 1];
        for (var i = 0; i < threads.Length; i++)
        {
            var member = i + 1;
            parking[i] = new SemaphoreSlim(0);
            threads[i] = new Thread(() => Follow(member)) { IsBackground = true, Name = $"tree training {member}" };
            threads[i].Start();
        }
    }

    /// <summary>Members, the caller included.</summary>
    public int Size { get; }

    /// <summary>Runs as many pieces as there are members.</summary>
    /// <param name="piece">Gets the number of the piece.</param>
    public void Run(Action<int> piece) => Share(Size, (i, _) => piece(i));

    /// <summary>Runs pieces 0 to <paramref name="count"/> - 1, each once; a member that is done takes the next.</summary>
    /// <param name="count">How many.</param>
    /// <param name="piece">Gets the number of the piece and that of the member.</param>
    public void Share(int count, Action<int, int> piece)
    {
        if (Size == 1 || count <= 1)
        {
            for (var i = 0; i < count; i++) piece(i, 0);
            return;
        }
        (work, pieces, next) = (piece, count, 0);
        Interlocked.Exchange(ref state, (((state >> 32) + 1) << 32) | Open);
        for (var i = 0; i < parked.Length; i++)
        {
            if (Volatile.Read(ref parked[i]) != 0 && Interlocked.Exchange(ref parked[i], 0) != 0) parking[i].Release();
        }
        Take(0);
        Interlocked.And(ref state, ~Open);
        var wait = new SpinWait();
        for (var spin = 0; (Volatile.Read(ref state) & (Open - 1)) != 0; spin++)
        {
            if (spin < spins) Thread.SpinWait(8);
            else wait.SpinOnce(sleep1Threshold: -1);
        }
        work = null;
        if (failure is not { } error) return;
        failure = null;
        ExceptionDispatchInfo.Throw(error);
    }

    public void Dispose()
    {
        if (ended) return;
        ended = true;
        Interlocked.Exchange(ref state, ((state >> 32) + 1) << 32);
        foreach (var place in parking) place.Release();
        foreach (var thread in threads) thread.Join();
        foreach (var place in parking) place.Dispose();
    }

    private void Follow(int member)
    {
        long seen = 0;
        while (true)
        {
            for (var spin = 0; Round() == seen && spin < spins; spin++) Thread.SpinWait(8);
            while (Round() == seen)
            {
                // Say so first, look again, then sleep: a round that begins in between either sees the word or was seen.
                Interlocked.Exchange(ref parked[member - 1], 1);
                if (Round() != seen && Interlocked.Exchange(ref parked[member - 1], 0) != 0) break;
                parking[member - 1].Wait();
            }
            if (ended) return;
            var now = Volatile.Read(ref state);
            seen = now >> 32;
            while ((now & Open) != 0)
            {
                var before = Interlocked.CompareExchange(ref state, now + 1, now);
                if (before == now)
                {
                    seen = now >> 32;
                    Take(member);
                    Interlocked.Decrement(ref state);
                    break;
                }
                now = before;
            }
        }
    }

    private long Round() => Volatile.Read(ref state) >> 32;

    private void Take(int member)
    {
        try
        {
            var piece = work!;
            for (var i = Interlocked.Increment(ref next) - 1; i < pieces; i = Interlocked.Increment(ref next) - 1) piece(i, member);
        }
        catch (Exception error)
        {
            Interlocked.CompareExchange(ref failure, error, null);
        }
    }
}
