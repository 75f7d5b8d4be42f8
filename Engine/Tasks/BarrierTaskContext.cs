using System.Text;
using Dataflow.Collectives;

namespace Dataflow.Tasks;

/// <summary>What a task of a barrier stage may ask: who the others are; and it may wait for them, and swap small messages with them.</summary>
/// <remarks>
/// <para>Used by the attempt's own thread. All tasks must make the same calls in the same order; where one does not, or ends early, the calls of the others fail
/// with a <see cref="BarrierException"/>. No call waits for ever: if another task fails or its executor is lost, the whole stage ends and begins
/// anew; if a task is just slow, the call fails after its timeout.</para>
/// <para>A meeting costs a message to the driver and back: some microseconds in local mode, a round trip on a cluster.</para>
/// </remarks>
public sealed class BarrierTaskContext
{
    /// <summary>Most bytes of a message: the driver holds those of all tasks, and sends all to each.</summary>
    public const int MaxMessageBytes = 1 << 20;

    private readonly TaskContext _task;
    private readonly Gang _gang;
    private CollectiveGroup? _collectives;
    private int _meetings;

    internal BarrierTaskContext(TaskContext task, Gang gang)
    {
        _task = task;
        _gang = gang;
    }

    /// <summary>That of the task which runs on this thread.</summary>
    /// <exception cref="InvalidOperationException">No task runs on this thread, or its stage is no barrier stage.</exception>
    public static BarrierTaskContext Current => TaskContext.Current?.Barrier ?? throw new InvalidOperationException(
        TaskContext.Current is { } task
            ? $"Task {task.PartitionIndex} of stage {task.Description.Stage} has no barrier: its stage is an ordinary one. "
                + "Call Barrier() on the Rdd first: rdd.Barrier().MapPartitions(...)."
            : "There is a barrier only within tasks of barrier stages, on their own threads: call it inside the lambda of rdd.Barrier().MapPartitions(...).");

    /// <summary>How many tasks the stage has: as many as partitions.</summary>
    public int TaskCount => _gang.TaskCount;

    /// <summary>Index of this task, from 0: that of its partition.</summary>
    public int TaskIndex => _task.PartitionIndex;

    /// <summary>0 for the first run of the stage, 1 after its first restart.</summary>
    public int StageAttempt => _task.Description.StageAttempt;

    /// <summary>Where each task runs, by index: host names. In local mode all are <c>localhost</c>.</summary>
    public IReadOnlyList<string> Hosts => _gang.Hosts;

    /// <summary>Reductions, broadcasts and gatherings of whole vectors, sent from executor to executor.</summary>
    /// <remarks>The first call costs a meeting; no later one goes through the driver.</remarks>
    public CollectiveGroup Collectives => _collectives ??= new CollectiveGroup(this, _task);

    /// <summary>Signalled when this attempt at the stage is to end.</summary>
    public CancellationToken CancellationToken => _task.CancellationToken;

    /// <summary>Waits until all tasks of the stage have made this call.</summary>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <exception cref="BarrierException">A task ended early or called something else, or the time is up.</exception>
    /// <exception cref="OperationCanceledException">The job was cancelled, or another task failed.</exception>
    public void Barrier(TimeSpan? timeout = null) => Meet(MeetingKind.Barrier, [], timeout);

    /// <summary>Gives each task the messages of all. Waits until all tasks of the stage have made this call.</summary>
    /// <param name="message">Of this task; at most <see cref="MaxMessageBytes"/> in UTF-8.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <returns>The message of each task, by index.</returns>
    /// <exception cref="BarrierException">A task ended early or called something else, or the time is up.</exception>
    /// <exception cref="OperationCanceledException">The job was cancelled, or another task failed.</exception>
    public string[] AllGather(string message, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Array.ConvertAll(Meet(MeetingKind.AllGather, Encoding.UTF8.GetBytes(message), timeout), Encoding.UTF8.GetString);
    }

    /// <inheritdoc cref="AllGather(string, TimeSpan?)"/>
    /// <param name="message">Of this task; at most <see cref="MaxMessageBytes"/>.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    public byte[][] AllGather(ReadOnlySpan<byte> message, TimeSpan? timeout = null) =>
        // In local mode all tasks are given the same arrays.
        Array.ConvertAll(Meet(MeetingKind.AllGather, message.ToArray(), timeout), static one => one.ToArray());

    internal byte[][] Meet(MeetingKind kind, byte[] message, TimeSpan? timeout)
    {
        var patience = timeout ?? _task.Services.Options.BarrierTimeout;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(patience, TimeSpan.Zero, nameof(timeout));
        if (message.Length > MaxMessageBytes)
        {
            throw new ArgumentException(
                $"The message has {message.Length:N0} bytes, and {MaxMessageBytes:N0} is the most: the driver gives those of all {TaskCount} tasks to each. "
                + "Exchange larger data by Collectives, or by a shuffle.", nameof(message));
        }
        if (TaskContext.Current != _task)
            throw new InvalidOperationException("The barrier belongs to its task's own thread, which makes its calls in order. Call it there.");
        _task.ThrowIfCancelled();
        return _task.Services.Meetings.Meet(_task.Description, _meetings++, kind, message, patience, _task.CancellationToken);
    }
}
