using Dataflow.Scheduling;
using Dataflow.Tracking;

namespace Dataflow.Jobs;

/// <summary>Whoever waits for a job: completed by the loop, awaited by the program.</summary>
internal sealed class JobWaiter(Action<int, object?>? onResult, CancellationToken cancellationToken)
{
    // The program goes on elsewhere: never on the scheduler's mailbox.
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Task => _completion.Task;

    public Action<int, object?>? OnResult { get; } = onResult;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    public CancellationTokenRegistration Registration { get; set; }

    /// <summary>Sizes of the map outputs, once the task has completed, if that was the job.</summary>
    public MapOutputSizes? Sizes { get; private set; }

    public void Succeed(MapOutputSizes? sizes)
    {
        Sizes = sizes;
        _completion.TrySetResult();
    }

    public void Fault(Exception error) => _completion.TrySetException(error);

    public void Fault(JobId job, JobFailure failure)
    {
        if (failure is { Kind: JobFailureKind.Refused, Cause: { } refusal })
        {
            Fault(refusal);
            return;
        }
        if (failure.Kind != JobFailureKind.Cancelled)
        {
            Fault(new JobFailedException(job, failure));
            return;
        }
        var text = $"Job {job} was cancelled: {failure.What}.";
        foreach (var abandoned in failure.Abandoned) text += $" {abandoned.Message}";
        Fault(new OperationCanceledException(text, failure.Abandoned.FirstOrDefault(), CancellationToken));
    }
}
