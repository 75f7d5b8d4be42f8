using Dataflow.Tasks;

namespace Dataflow.Errors;

/// <summary>Ends an attempt whose output does not count, because the driver granted the commit to another; it becomes <see cref="CommitDenied"/>.</summary>
internal sealed class CommitDeniedException(TaskDescription task)
    : Exception($"Attempt {task.Attempt} at task {task.Partition} of stage {task.Stage} may not commit: another attempt has.");
