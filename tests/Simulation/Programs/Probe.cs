namespace Dataflow.Simulation;

/// <summary>What the code of simulated programs calls: the place where things happen to it. Nothing does when it runs elsewhere.</summary>
internal static class Probe
{
    /// <summary>Between two rows: time may pass, and the code may fail.</summary>
    public static void Step()
    {
        if (SimulatedTask.Current is not { } task) return;
        var world = task.Executor.World;
        if (world.Chance(0.01)) task.Pause(world.Milliseconds(1, 300));
        if (task.Executor.CodeFails && world.Chance(0.002)) throw new InjectedException();
    }

    /// <summary>A number that differs from run to run of the same task.</summary>
    public static int Roll(int sides, long elsewhere) =>
        SimulatedTask.Current is { } task ? task.Executor.World.Dice.Next(sides) : (int)(elsewhere % sides);
}

/// <summary>The code of a simulated program failed by chance.</summary>
internal sealed class InjectedException() : Exception("the dice were against this row");
