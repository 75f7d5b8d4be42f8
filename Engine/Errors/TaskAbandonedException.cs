using Dataflow.Scheduling;

namespace Dataflow;

/// <summary>A task was cancelled and did not end within <see cref="DataflowOptions.CancellationGrace"/>. It was given up, and its slot replaced.</summary>
public sealed class TaskAbandonedException : DataflowException
{
    internal TaskAbandonedException(string message, StageId stage, int partition) : base(message)
    {
        Stage = stage;
        Partition = partition;
    }

    /// <summary>The task's stage.</summary>
    public StageId Stage { get; }

    /// <summary>Index of the partition that it computed.</summary>
    public int Partition { get; }
}
