using System.Runtime.ExceptionServices;

namespace Dataflow.MLlib.Trees;

/// <summary>
/// A few threads that do many short pieces of work together: the caller is member 0, the others wait for the next piece by spinning briefly and parking then. A
/// piece begins and ends within about a microsecond, which a thread pool does not do.
/// </summary>
/// <remarks>Used by one thread at a time. What a member throws is thrown by <see cref="Run"/> once all members are done.</remarks>
internal sealed class ThreadTeam : IDisposable
{
    private const int Spins = 2000;
    private readonly Thread[] threads;
    private readonly SemaphoreSlim[] parking;
    private readonly int[] parked;
    private readonly int spins;
    private Action<int>? work;
    private volatile int round;
    private int running;
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

    /// <summary>Runs a piece in every member, with its index, and returns when all have done it.</summary>
    public void Run(Action<int> piece)
    {
        if (Size == 1)
        {
            piece(0);
            return;
        }
        work = piece;
        Volatile.Write(ref running, threads.Length);
        Interlocked.Increment(ref round);
        for (var i = 0; i < parked.Length; i++)
        {
            if (Volatile.Read(ref parked[i]) != 0 && Interlocked.Exchange(ref parked[i], 0) != 0) parking[i].Release();
        }
        Do(piece, 0);
        var wait = new SpinWait();
        for (var spin = 0; Volatile.Read(ref running) != 0; spin++)
        {
            if (spin < spins) Thread.SpinWait(8);
            else wait.SpinOnce(sleep1Threshold: -1);
        }
        work = null;
        if (failure is not { } error) return;
        failure = null;
        ExceptionDispatchInfo.Throw(error);
    }

    /// <summary>Runs pieces 0 to <paramref name="pieces"/> - 1, each in one member; a member that is done takes the next.</summary>
    public void Share(int pieces, Action<int, int> piece)
    {
        if (Size == 1 || pieces <= 1)
        {
            for (var i = 0; i < pieces; i++) piece(i, 0);
            return;
        }
        var next = 0;
        Run(member =>
        {
            for (var i = Interlocked.Increment(ref next) - 1; i < pieces; i = Interlocked.Increment(ref next) - 1) piece(i, member);
        });
    }

    public void Dispose()
    {
        if (ended) return;
        ended = true;
        Interlocked.Increment(ref round);
        foreach (var place in parking) place.Release();
        foreach (var thread in threads) thread.Join();
        foreach (var place in parking) place.Dispose();
    }

    private void Follow(int member)
    {
        var seen = 0;
        while (true)
        {
            for (var spin = 0; round == seen && spin < spins; spin++) Thread.SpinWait(8);
            while (round == seen)
            {
                // Say so first, look again, then sleep: a round that begins in between either sees the word or was seen.
                Interlocked.Exchange(ref parked[member - 1], 1);
                if (round != seen && Interlocked.Exchange(ref parked[member - 1], 0) != 0) break;
                parking[member - 1].Wait();
            }
            seen = round;
            if (ended) return;
            Do(work!, member);
            Interlocked.Decrement(ref running);
        }
    }

    private void Do(Action<int> piece, int member)
    {
        try
        {
            piece(member);
        }
        catch (Exception error)
        {
            Interlocked.CompareExchange(ref failure, error, null);
        }
    }
}
