namespace Dataflow.Tasks;

/// <summary>The driver's word on which attempt at a task may make its output final.</summary>
public interface ICommitCoordinator
{
    /// <summary>Asks for the right to commit; blocks until the driver answers. Asking again gives the same answer.</summary>
    /// <param name="task">The attempt that asks.</param>
    /// <returns>False if another attempt at the same partition has the right, or has committed.</returns>
    bool MayCommit(TaskDescription task);
}
