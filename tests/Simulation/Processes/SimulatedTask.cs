using Dataflow.Cluster;
using Dataflow.Serialization;
using Dataflow.Tasks;

namespace Dataflow.Simulation;

/// <summary>One attempt on a simulated executor: real code on a fiber, which parks where a real task would wait.</summary>
internal sealed class SimulatedTask(SimulatedExecutor executor, StageTask task, StageBinary binary)
{
    private readonly TaskContext _context = new(task.Description, executor.Services);
    private Fiber? _fiber;
    private long _waiting;
    private bool _isCancellable;
    private bool _asks;
    private ControlMessage? _answer;

    public TaskDescription Description => task.Description;

    /// <summary>The task of this thread; null on others.</summary>
    public static SimulatedTask? Current => Fiber.Current?.Owner as SimulatedTask;

    public SimulatedExecutor Executor => executor;

    /// <summary>Begins. Returns when it first waits.</summary>
    public void Start() => executor.World.Time.After(executor.World.Milliseconds(0, 2), () =>
    {
        if (!executor.IsDead) Fiber.Start(this, Run);
    });

    /// <summary>Lets virtual time pass. Called by the task.</summary>
    public void Pause(TimeSpan time, bool isCancellable = true)
    {
        Park(ticket => executor.World.Time.After(time, () => Wake(ticket, null)), isCancellable);
    }

    /// <summary>Sends a question and waits for what <see cref="Answer"/> gives.</summary>
    public TAnswer Ask<TAnswer>(Action send)
        where TAnswer : ControlMessage
    {
        _answer = null;
        _asks = true;
        try
        {
            while (_answer is not TAnswer)
            {
                Park(_ => send(), isCancellable: true);
                send = static () => { };
            }
            return (TAnswer)_answer;
        }
        finally
        {
            _asks = false;
        }
    }

    /// <summary>The driver answered.</summary>
    public void Answer(ControlMessage answer)
    {
        if (!_asks) return;
        _answer = answer;
        Wake(_waiting, null);
    }

    /// <summary>Asks it to end.</summary>
    public void Cancel()
    {
        _context.Cancel();
        if (_isCancellable) Wake(_waiting, new OperationCanceledException(_context.CancellationToken));
    }

    /// <summary>Its process ended.</summary>
    public void End()
    {
        _waiting++;
        if (_fiber is { IsEnded: false, IsParked: true }) _fiber.Resume(new ProcessEndedException());
    }

    private void Park(Action<long> begin, bool isCancellable)
    {
        if (executor.IsDead) throw new ProcessEndedException();
        if (isCancellable) _context.ThrowIfCancelled();
        _isCancellable = isCancellable;
        begin(++_waiting);
        _fiber!.Park();
    }

    private void Wake(long ticket, Exception? thrown)
    {
        if (ticket != _waiting || _fiber is not { IsParked: true }) return;
        _isCancellable = false;
        _fiber.Resume(thrown);
    }

    private void Run()
    {
        _fiber = Fiber.Current;
        try
        {
            Pause(executor.TaskTime());
        }
        catch (OperationCanceledException)
        {
            // The runner finds out.
        }
        var outcome = TaskRunner.Run(task, _context, executor.World.Time);
        if (executor.IsDead) throw new ProcessEndedException();

        // What it made is there, and nobody knows yet.
        if (executor.World.Chance(0.3)) Pause(executor.World.Milliseconds(0, 200), isCancellable: false);
        executor.OnEnded(this, outcome, Report(outcome));
        _context.Dispose();
    }

    private byte[] Report(TaskOutcome outcome)
    {
        using var writer = new BlockWriter();
        TaskReport.Write(writer, binary, outcome, _context.Metrics, _context.Accumulators);
        return writer.Written.ToArray();
    }
}
