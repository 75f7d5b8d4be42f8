namespace Dataflow.Simulation;

/// <summary>
/// A driver program: runs its steps on a thread of its own, one when it is told to. Between its start and its end a step waits for one job, so
/// that the simulation knows at every moment whether the program runs or waits.
/// </summary>
internal sealed class DriverProgram(VirtualTime time, IReadOnlyList<ProgramStep> steps)
{
    private int _next;
    private volatile bool _isRunning;

    /// <summary>What each step gave, so far.</summary>
    public List<(ProgramStep Step, string? Result, Exception? Error)> Results { get; } = [];

    public bool IsRunning => _isRunning;

    public bool IsOver => !_isRunning && _next == steps.Count;

    /// <summary>Begins the next step.</summary>
    public void Go()
    {
        var step = steps[_next++];
        _isRunning = true;
        new Thread(() =>
        {
            string? result = null;
            Exception? failed = null;
            try
            {
                result = step.Run();
            }
            catch (Exception error)
            {
                failed = error;
            }
            lock (time.Sync)
            {
                Results.Add((step, result, failed));
                _isRunning = false;
                Monitor.PulseAll(time.Sync);
            }
        }, 4 << 20)
        { IsBackground = true, Name = "simulated program" }.UnsafeStart();
    }
}
