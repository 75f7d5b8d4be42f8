using Dataflow.Closures;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>
/// The verbs whose tasks start together and may wait for each other; made by <see cref="Rdd{T}.Barrier"/>. For code that brings its own
/// way to talk between machines, such as distributed training.
/// </summary>
/// <remarks>
/// <para>There must be as many free slots as partitions before any task starts; a job that needs more than there are at all fails and says so. While it
/// waits for slots, jobs behind it in the queue get none.</para>
/// <para>If a task fails or is lost, all tasks of the stage end and start anew, up to <see cref="DataflowOptions.StageMaxAttempts"/> times. Results and
/// accumulators count when all tasks of one attempt have ended well. A task is never copied because it is slow.</para>
/// <para>All partitions are computed or none, so <c>Take</c>, <c>First</c> and others that read a part are refused, as are <c>Coalesce</c>, <c>Union</c> and
/// <c>Cartesian</c> behind the barrier without a shuffle between. What <c>Checkpoint</c> has written down is read like any other Rdd.</para>
/// </remarks>
/// <typeparam name="T">The element type.</typeparam>
public sealed class RddBarrier<T> : IDriverOnly
{
    private readonly Rdd<T> _rdd;

    internal RddBarrier(Rdd<T> rdd) => _rdd = rdd;

    /// <summary>Turns the iterator of each partition into another, in tasks that start together.</summary>
    /// <remarks>Transformation, narrow. <c>BarrierTaskContext.Current</c> inside the lambda is how the tasks meet.</remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="transform">Gets an iterator that can be read once.</param>
    /// <param name="keepsPartitioner">True if keys are left as they are, so that the placement still holds.</param>
    /// <exception cref="ClosureException"><paramref name="transform"/> writes a captured variable or reads what lives in the driver only.</exception>
    public Rdd<TOut> MapPartitions<TOut>(Func<IEnumerable<T>, IEnumerable<TOut>> transform, bool keepsPartitioner = false)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return Make("MapPartitions", (_, items) => transform(items), keepsPartitioner, transform);
    }

    /// <summary>As <see cref="MapPartitions{TOut}(Func{IEnumerable{T}, IEnumerable{TOut}}, bool)"/>, with the context in which the tasks meet.</summary>
    /// <remarks>Transformation, narrow.</remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="transform">Gets the context and an iterator that can be read once.</param>
    /// <param name="keepsPartitioner">True if keys are left as they are, so that the placement still holds.</param>
    /// <exception cref="ClosureException"><paramref name="transform"/> writes a captured variable or reads what lives in the driver only.</exception>
    public Rdd<TOut> MapPartitions<TOut>(Func<BarrierTaskContext, IEnumerable<T>, IEnumerable<TOut>> transform, bool keepsPartitioner = false)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return Make("MapPartitions", transform, keepsPartitioner, transform);
    }

    /// <summary>As <see cref="MapPartitions{TOut}(Func{IEnumerable{T}, IEnumerable{TOut}}, bool)"/>, with the index of the partition.</summary>
    /// <remarks>Transformation, narrow.</remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="transform">Gets the partition's index and an iterator that can be read once.</param>
    /// <param name="keepsPartitioner">True if keys are left as they are, so that the placement still holds.</param>
    /// <exception cref="ClosureException"><paramref name="transform"/> writes a captured variable or reads what lives in the driver only.</exception>
    public Rdd<TOut> MapPartitionsWithIndex<TOut>(Func<int, IEnumerable<T>, IEnumerable<TOut>> transform, bool keepsPartitioner = false)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return Make("MapPartitionsWithIndex", (barrier, items) => transform(barrier.TaskIndex, items), keepsPartitioner, transform);
    }

    /// <summary>As <see cref="MapPartitions{TOut}(Func{IEnumerable{T}, IEnumerable{TOut}}, bool)"/>, with an evaluator that a factory makes afresh for each partition.</summary>
    /// <remarks>Transformation, narrow.</remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="factory">Makes the evaluator of one partition.</param>
    /// <exception cref="ClosureException"><paramref name="factory"/> writes a captured variable or reads what lives in the driver only.</exception>
    public Rdd<TOut> MapPartitionsWithEvaluator<TOut>(Func<IPartitionEvaluator<T, TOut>> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return Make("MapPartitionsWithEvaluator", (barrier, items) => factory().Evaluate(barrier.TaskIndex, items), false, factory);
    }

    private BarrierRdd<T, TOut> Make<TOut>(
        string operation, Func<BarrierTaskContext, IEnumerable<T>, IEnumerable<TOut>> transform, bool keepsPartitioner, Delegate lambda)
    {
        ClosureGuard.Check(lambda, operation);
        _rdd.Context.HasStageWishes = true;
        return new BarrierRdd<T, TOut>(_rdd, operation, transform, keepsPartitioner, lambda);
    }
}
