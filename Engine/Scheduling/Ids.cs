namespace Dataflow.Scheduling;

/// <summary>Names one job: one action of the driver program.</summary>
/// <param name="Value">Counts up from 0 within a context.</param>
public readonly record struct JobId(int Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}

/// <summary>Names one stage: tasks that run the same code on different partitions, between two shuffles.</summary>
/// <param name="Value">Counts up from 0 within a context.</param>
public readonly record struct StageId(int Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}

/// <summary>Names one attempt at one task; a retry or a speculative copy has its own.</summary>
/// <param name="Value">Counts up from 0 within a context.</param>
public readonly record struct TaskId(long Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}

/// <summary>Names one shuffle: the outputs of one <see cref="Dataflow.ShuffleDependency"/>.</summary>
/// <param name="Value">Counts up from 0 within a context.</param>
public readonly record struct ShuffleId(int Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}

/// <summary>Names one executor: a process (or, in local mode, this process) that runs tasks for one application.</summary>
/// <param name="Value">Given at registration and never used again for another executor.</param>
public readonly record struct ExecutorId(int Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}

/// <summary>Names one server of map outputs: the worker daemon of a node or, in local mode, this process.
/// It outlives the executors that it starts.</summary>
/// <param name="Value">Given at registration and never used again for another worker.</param>
public readonly record struct WorkerId(int Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}
