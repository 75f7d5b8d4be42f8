using System.Collections.Concurrent;
using Dataflow.Tasks;

namespace Dataflow.Simulation;

/// <summary>
/// A thread that runs only while the simulation's thread waits for it: code that blocks, such as a task that asks its driver, parks here and goes
/// on when it is resumed. So only one of them ever runs.
/// </summary>
internal sealed class Fiber
{
    // In real time: whatever a task does takes milliseconds, unless it waits for something that nobody simulates.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly ConcurrentStack<Carrier> Idle = new();

    [ThreadStatic] private static Fiber? _current;

    private readonly SemaphoreSlim _go = new(0);
    private readonly SemaphoreSlim _back = new(0);
    private Exception? _thrown;
    private Exception? _failure;
    private bool _ended;

    private Fiber() { }

    /// <summary>The fiber of this thread; null on others.</summary>
    public static Fiber? Current => _current;

    /// <summary>What the fiber is part of.</summary>
    public object? Owner { get; private init; }

    public bool IsEnded => _ended;

    /// <summary>Whether it waits to be resumed.</summary>
    public bool IsParked { get; private set; }

    /// <summary>Makes a fiber and runs it until it parks or ends.</summary>
    public static Fiber Start(object owner, Action body)
    {
        var fiber = new Fiber { Owner = owner };
        if (!Idle.TryPop(out var carrier)) carrier = new Carrier();
        carrier.Run(fiber, body);
        fiber.WaitForIt();
        return fiber;
    }

    /// <summary>Gives the turn back until somebody resumes this fiber. Called on its own thread.</summary>
    public void Park()
    {
        IsParked = true;
        _back.Release();
        _go.Wait();
        if (Interlocked.Exchange(ref _thrown, null) is { } thrown) throw thrown;
    }

    /// <summary>Runs the fiber until it parks again or ends.</summary>
    /// <param name="thrown">What its call throws; null to have it return.</param>
    public void Resume(Exception? thrown = null)
    {
        if (!IsParked) throw new InvalidOperationException("The fiber is not parked.");
        IsParked = false;
        _thrown = thrown;
        _go.Release();
        WaitForIt();
    }

    private void WaitForIt()
    {
        if (!_back.Wait(Patience)) throw new SimulationException($"A task's code waits for {Patience.TotalSeconds} s of real time, for something that nobody simulates.");
        if (_failure is { } failure) throw new SimulationException($"A simulated process failed in a way that no task can: {failure.Message}", failure);
    }

    /// <summary>A thread that carries one fiber after the other.</summary>
    private sealed class Carrier
    {
        private readonly SemaphoreSlim _work = new(0);
        private (Fiber Fiber, Action Body)? _next;

        public Carrier() => new Thread(Loop, 4 << 20) { IsBackground = true, Name = "simulated task" }.UnsafeStart();

        public void Run(Fiber fiber, Action body)
        {
            _next = (fiber, body);
            _work.Release();
        }

        private void Loop()
        {
            TaskContext.BecomeTaskThread();
            while (true)
            {
                _work.Wait();
                var (fiber, body) = _next!.Value;
                _next = null;
                _current = fiber;
                try
                {
                    body();
                }
                catch (ProcessEndedException)
                {
                    // Its process is no more.
                }
                catch (Exception error)
                {
                    fiber._failure = error;
                }
                _current = null;
                fiber._ended = true;
                Idle.Push(this);
                fiber._back.Release();
            }
        }
    }
}

/// <summary>The process that a fiber was part of has ended.</summary>
internal sealed class ProcessEndedException() : Exception("the simulated process has ended");

/// <summary>An invariant does not hold, or the simulator itself is at fault.</summary>
internal sealed class SimulationException(string message, Exception? inner = null) : Exception(message, inner);
