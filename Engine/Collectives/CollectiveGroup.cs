using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Tasks;

namespace Dataflow.Collectives;

/// <summary>
/// What the tasks of a barrier stage do together: reduce, gather and broadcast whole vectors. Bytes go from executor to executor; tasks of one process
/// hand them over in memory. In local mode the same calls give the same bits.
/// </summary>
/// <remarks>
/// <para>Used by the attempt's own thread. All tasks must make the same calls in the same order, with vectors of equal length where not said otherwise. A call
/// returns when this task's part is done. Calls fail with a <see cref="BarrierException"/> where another task ended early, called something else, is out
/// of reach or too slow; then the whole stage begins anew, up to <see cref="DataflowOptions.StageMaxAttempts"/> times.</para>
/// <para>Every element is reduced in the order of the tasks, ((t0 + t1) + t2) + t3, whatever the vector's length, wherever the tasks run and whoever comes
/// first: the bits are the same every time.</para>
/// <para>Each task sends and receives about twice the bytes of the vector for a reduction of many tasks, once for a gathering.</para>
/// </remarks>
public sealed partial class CollectiveGroup
{
    private readonly BarrierTaskContext _barrier;
    private readonly TaskContext _task;

    internal CollectiveGroup(BarrierTaskContext barrier, TaskContext task)
    {
        _barrier = barrier;
        _task = task;
    }

    /// <summary>How many tasks the stage has.</summary>
    public int TaskCount => _barrier.TaskCount;

    /// <summary>Index of this task, from 0.</summary>
    public int TaskIndex => _barrier.TaskIndex;

    /// <summary>The part of a vector that <see cref="ReduceScatter{T}(Span{T}, Reduction, TimeSpan?)"/> leaves with a task.</summary>
    /// <param name="task">Index of the task.</param>
    /// <param name="length">Elements of the vector.</param>
    public Range ShareOf(int task, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfNegative(task);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(task, TaskCount);
        return Bound(task, length)..Bound(task + 1, length);
    }

    /// <summary>Waits until all tasks of the stage have made this call. Does not go through the driver, other than <see cref="BarrierTaskContext.Barrier"/>.</summary>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <exception cref="BarrierException">Another task is lost, ended, called something else or did not come in time.</exception>
    /// <exception cref="OperationCanceledException">The job was cancelled, or another task failed.</exception>
    public void Barrier(TimeSpan? timeout = null)
    {
        Begin(CollectiveCall.Barrier, 0, timeout);
        if (TaskIndex > 0) Post(0, 0, []);
        ReduceAtFirst<byte, NumberFold<byte>>([], default, part: 0);
    }

    /// <summary>Gives each task the sum, least or greatest of what all tasks brought, element by element.</summary>
    /// <typeparam name="T">A number; integers wrap around.</typeparam>
    /// <param name="values">What this task brings; afterwards the result. Equal lengths in all tasks.</param>
    /// <param name="reduction">How elements are reduced.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public void AllReduce<T>(Span<T> values, Reduction reduction = Reduction.Sum, TimeSpan? timeout = null)
        where T : unmanaged, INumber<T> => AllReduce(values, new NumberFold<T>(Check(reduction)), timeout);

    /// <summary>Gives each task what a combiner makes of what all tasks brought, element by element.</summary>
    /// <typeparam name="T">A value without references; it travels as it lies in memory.</typeparam>
    /// <param name="values">What this task brings; afterwards the result. Equal lengths in all tasks.</param>
    /// <param name="combine">Gets the result so far and the element of the next task. Must depend on nothing else.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public void AllReduce<T>(Span<T> values, Func<T, T, T> combine, TimeSpan? timeout = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(combine);
        AllReduce(values, new CustomFold<T>(combine), timeout);
    }

    /// <summary>Begins a reduction and does not wait for it: what this task brings is on its way to the others while the task does other work.</summary>
    /// <remarks>Several may be under way, and other calls be made meanwhile. All tasks begin and end theirs in the same order. Until the other tasks end the call,
    /// they hold what was sent to them in memory.</remarks>
    /// <typeparam name="T">A number; integers wrap around.</typeparam>
    /// <param name="values">What this task brings. Equal lengths in all tasks. The array may be changed only after the end, which takes the same values.</param>
    /// <param name="timeout">How long it may take until its end, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <returns>What ends it.</returns>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public PendingReduction BeginAllReduce<T>(ReadOnlySpan<T> values, TimeSpan? timeout = null)
        where T : unmanaged, INumber<T>
    {
        Begin(CollectiveCall.AllReduce, (long)values.Length * Unsafe.SizeOf<T>(), timeout);
        if (TaskCount > 1)
        {
            foreach (var (piece, part) in Pieces(values.Length, Unsafe.SizeOf<T>())) PostPiece(values[piece], part);
        }
        return Pend();
    }

    /// <summary>Ends a reduction that was begun: gives each task the sum, least or greatest of what all tasks brought, element by element.</summary>
    /// <typeparam name="T">As at the beginning.</typeparam>
    /// <param name="pending">Which one; ended once.</param>
    /// <param name="values">What this task brought; afterwards the result.</param>
    /// <param name="reduction">How elements are reduced.</param>
    /// <exception cref="InvalidOperationException">It was begun otherwise, with another number of bytes, elsewhere, or is ended already.</exception>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public void EndAllReduce<T>(PendingReduction pending, Span<T> values, Reduction reduction = Reduction.Sum)
        where T : unmanaged, INumber<T>
    {
        var fold = new NumberFold<T>(Check(reduction));
        var last = _sequence;
        Resume(CollectiveCall.AllReduce, (long)values.Length * Unsafe.SizeOf<T>(), pending);
        if (TaskCount > 1)
        {
            foreach (var (piece, part) in Pieces(values.Length, Unsafe.SizeOf<T>())) FinishPiece(values[piece], fold, part);
        }
        _sequence = last;
    }

    /// <summary>Gives each task the sum, least or greatest of one number of each task.</summary>
    /// <inheritdoc cref="AllReduce{T}(Span{T}, Reduction, TimeSpan?)"/>
    /// <param name="value">What this task brings.</param>
    /// <param name="reduction">How numbers are reduced.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <returns>The result.</returns>
    public T AllReduce<T>(T value, Reduction reduction = Reduction.Sum, TimeSpan? timeout = null)
        where T : unmanaged, INumber<T>
    {
        AllReduce(new Span<T>(ref value), reduction, timeout);
        return value;
    }

    /// <summary>Gives each task what a combiner makes of the blocks of all tasks, such as encoded sketches. Lengths may differ.</summary>
    /// <remarks>Task 0 gets all blocks, combines them in the order of the tasks and sends the result to all.</remarks>
    /// <param name="block">What this task brings.</param>
    /// <param name="combine">Gets the result so far and the block of the next task. Called in task 0 only.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <returns>The result, an array of the caller's own.</returns>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public byte[] AllReduceBlocks(byte[] block, Func<byte[], byte[], byte[]> combine, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(block);
        ArgumentNullException.ThrowIfNull(combine);
        Begin(CollectiveCall.AllReduce, null, timeout);
        if (TaskIndex > 0)
        {
            PostBlock(0, block, firstPart: 0, step: 2);
            return TakeBlock<byte>(0, firstPart: 1, step: 2);
        }
        var result = block.AsSpan().ToArray();
        for (var from = 1; from < TaskCount; from++)
        {
            result = combine(result, TakeBlock<byte>(from, firstPart: 0, step: 2))
                ?? throw new InvalidOperationException("The combiner given to AllReduceBlocks returned null. Return an empty array for nothing.");
        }
        PostBlock(PeerHeader.All, result, firstPart: 1, step: 2);
        return result;
    }

    /// <summary>Reduces as <see cref="AllReduce{T}(Span{T}, Reduction, TimeSpan?)"/>, and leaves with each task its share of the result only: half of the traffic.</summary>
    /// <typeparam name="T">A number; integers wrap around.</typeparam>
    /// <param name="values">What this task brings. Afterwards the result lies in this task's share; the rest is as it was. Equal lengths in all tasks.</param>
    /// <param name="reduction">How elements are reduced.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <returns>This task's share: that of <see cref="ShareOf"/>.</returns>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public Range ReduceScatter<T>(Span<T> values, Reduction reduction = Reduction.Sum, TimeSpan? timeout = null)
        where T : unmanaged, INumber<T> => ReduceScatter(values, new NumberFold<T>(Check(reduction)), timeout);

    /// <summary>Reduces by a combiner, and leaves with each task its share of the result only.</summary>
    /// <typeparam name="T">A value without references; it travels as it lies in memory.</typeparam>
    /// <param name="values">What this task brings. Afterwards the result lies in this task's share; the rest is as it was. Equal lengths in all tasks.</param>
    /// <param name="combine">Gets the result so far and the element of the next task. Must depend on nothing else.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <returns>This task's share: that of <see cref="ShareOf"/>.</returns>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public Range ReduceScatter<T>(Span<T> values, Func<T, T, T> combine, TimeSpan? timeout = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(combine);
        return ReduceScatter(values, new CustomFold<T>(combine), timeout);
    }

    /// <summary>Gives each task what all tasks brought. Lengths may differ.</summary>
    /// <typeparam name="T">A value without references; it travels as it lies in memory.</typeparam>
    /// <param name="values">What this task brings.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <returns>What each task brought, by index; arrays of the caller's own.</returns>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public T[][] AllGather<T>(ReadOnlySpan<T> values, TimeSpan? timeout = null)
        where T : unmanaged
    {
        Begin(CollectiveCall.AllGather, null, timeout);
        PostBlock(PeerHeader.All, MemoryMarshal.AsBytes(values), firstPart: 0, step: 1);
        var all = new T[TaskCount][];
        for (var from = 0; from < all.Length; from++) all[from] = from == TaskIndex ? values.ToArray() : TakeBlock<T>(from, firstPart: 0, step: 1);
        return all;
    }

    /// <summary>Gives each task what one of them brought.</summary>
    /// <typeparam name="T">A value without references; it travels as it lies in memory.</typeparam>
    /// <param name="values">What the root brings; in the others it is filled. Equal lengths in all tasks.</param>
    /// <param name="root">Index of the task whose values all get; the same in all tasks.</param>
    /// <param name="timeout">How long to wait, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no task of the index <paramref name="root"/>.</exception>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public void Broadcast<T>(Span<T> values, int root = 0, TimeSpan? timeout = null)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(root);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(root, TaskCount);
        Begin(CollectiveCall.Broadcast, (long)values.Length * Unsafe.SizeOf<T>(), timeout);
        var bytes = MemoryMarshal.AsBytes(values);
        if (bytes.Length <= LargestWhole)
            BroadcastWhole(bytes, root);
        else
            BroadcastShares(bytes, root);
    }

    /// <summary>Begins what <see cref="ReduceScatter{T}(Span{T}, Reduction, TimeSpan?)"/> does, and does not wait for it. Otherwise as <see cref="BeginAllReduce{T}"/>.</summary>
    /// <typeparam name="T">A number; integers wrap around.</typeparam>
    /// <param name="values">What this task brings. Equal lengths in all tasks.</param>
    /// <param name="timeout">How long it may take until its end, more than zero; null takes <see cref="DataflowOptions.BarrierTimeout"/>.</param>
    /// <returns>What ends it.</returns>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public PendingReduction BeginReduceScatter<T>(ReadOnlySpan<T> values, TimeSpan? timeout = null)
        where T : unmanaged, INumber<T>
    {
        Begin(CollectiveCall.ReduceScatter, (long)values.Length * Unsafe.SizeOf<T>(), timeout);
        foreach (var (start, most, part) in ShareParts<T>(values.Length)) PostShares(values, start, most, part);
        return Pend();
    }

    /// <summary>Ends a reduction that was begun with <see cref="BeginReduceScatter{T}"/>.</summary>
    /// <typeparam name="T">As at the beginning.</typeparam>
    /// <param name="pending">Which one; ended once.</param>
    /// <param name="values">What this task brought. Afterwards the result lies in this task's share; the rest is as it was.</param>
    /// <param name="reduction">How elements are reduced.</param>
    /// <returns>This task's share: that of <see cref="ShareOf"/>.</returns>
    /// <exception cref="InvalidOperationException">As for <see cref="EndAllReduce{T}"/>.</exception>
    /// <inheritdoc cref="Barrier" path="/exception"/>
    public Range EndReduceScatter<T>(PendingReduction pending, Span<T> values, Reduction reduction = Reduction.Sum)
        where T : unmanaged, INumber<T>
    {
        var fold = new NumberFold<T>(Check(reduction));
        var last = _sequence;
        Resume(CollectiveCall.ReduceScatter, (long)values.Length * Unsafe.SizeOf<T>(), pending);
        foreach (var (start, most, part) in ShareParts<T>(values.Length)) ReduceShare(values, start, most, fold, part);
        _sequence = last;
        return ShareOf(TaskIndex, values.Length);
    }

    private static Reduction Check(Reduction reduction) => Enum.IsDefined(reduction)
        ? reduction
        : throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "There is no such reduction.");
}

/// <summary>A reduction that was begun by <see cref="CollectiveGroup.BeginAllReduce{T}"/> or <see cref="CollectiveGroup.BeginReduceScatter{T}"/> and not ended yet.</summary>
public readonly struct PendingReduction
{
    // A token of its own: numbers of calls begin anew with each group.
    internal PendingReduction(PendingCall call) => Call = call;

    internal PendingCall? Call { get; }
}

/// <summary>What a reduction that is under way was begun with.</summary>
internal sealed record PendingCall(CollectiveGroup Group, CollectiveCall Call, long Length, int Sequence, long Deadline)
{
    public bool IsEnded { get; set; }
}
