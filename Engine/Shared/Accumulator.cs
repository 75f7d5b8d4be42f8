using Dataflow.Closures;
using Dataflow.Serialization;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>
/// A value that tasks add to and the driver reads. What a task adds counts once, when the task first succeeds: failed attempts, speculative
/// copies and recomputed partitions add nothing. Another action that computes the same elements does add again, unless they are cached or
/// come out of a shuffle that is done.
/// </summary>
/// <remarks>The untyped part, which tasks and the scheduler handle. Derive from <see cref="Accumulator{TIn, TBuffer, TOut}"/>.</remarks>
public abstract class Accumulator
{
    private protected Accumulator() { }

    /// <summary>Its name on pages and in logs.</summary>
    public string Name { get; internal set; } = "";

    internal int Id { get; set; } = -1;

    /// <summary>Number of the context it is registered with, within the driver's process: ids count from 0 in each.</summary>
    internal int Home { get; set; }

    internal abstract object NewBuffer();

    internal abstract void MergeBuffer(object buffer);

    /// <summary>Writes what a task gathered, on its executor.</summary>
    internal abstract void WriteBuffer(BlockWriter writer, object buffer);

    /// <summary>Reads it on the driver, as what this accumulator gathers: whatever the bytes claim, no other type comes of it.</summary>
    internal abstract object ReadBuffer(ref BlockReader reader);
}

/// <summary>An accumulator of one's own: derive, and register it with <c>context.Register</c>.</summary>
/// <remarks>
/// <typeparamref name="TBuffer"/> is what one task gathers; it travels to the driver with the task's outcome. Adding costs a few
/// nanoseconds; tasks never wait for each other.
/// </remarks>
/// <typeparam name="TIn">What is added.</typeparam>
/// <typeparam name="TBuffer">What a task gathers; a mutable object, or a value that <see cref="Add(TBuffer, TIn)"/> replaces.</typeparam>
/// <typeparam name="TOut">What the driver reads.</typeparam>
public abstract class Accumulator<TIn, TBuffer, TOut> : Accumulator
{
    private readonly Lock _lock = new();
    [DriverOnly]
    private TBuffer? _total;
    [DriverOnly]
    private bool _started;

    /// <summary>What was counted so far. Read it on the driver, after the action.</summary>
    /// <exception cref="InvalidOperationException">It is read inside a task, where only a part of it exists.</exception>
    public TOut Value
    {
        get
        {
            if (TaskContext.IsWithinTask)
            {
                throw new InvalidOperationException(
                    $"The accumulator '{Name}' is read inside a task, which sees only what it added itself. Read it on the driver after the action.");
            }
            lock (_lock) return Result(Total());
        }
    }

    /// <summary>Adds a value: in a task to what the task gathers, on the driver to the total.</summary>
    /// <param name="value">What to add.</param>
    public void Add(TIn value)
    {
        if (Id < 0) throw new InvalidOperationException($"Register the {GetType().Name} with context.Register before adding to it.");
        if (TaskContext.Current is { } task)
        {
            ref var buffer = ref task.Accumulators.BufferOf(this);
            var box = (Box)buffer!;
            box.Value = Add(box.Value, value);
            return;
        }
        if (TaskContext.IsWithinTask)
        {
            throw new InvalidOperationException(
                $"The accumulator '{Name}' was added to on a thread that a task has started. What a task adds counts once, when it succeeds, so the task's own thread "
                + "must add it: gather on the other threads, and add the sum after them.");
        }
        lock (_lock) _total = Add(Total(), value);
    }

    /// <summary>Sets the total back to empty.</summary>
    public void Reset()
    {
        lock (_lock) _started = false;
    }

    /// <summary>An empty buffer.</summary>
    protected abstract TBuffer Empty();

    /// <summary>Adds a value to a buffer and gives it back.</summary>
    /// <param name="buffer">May be changed in place.</param>
    /// <param name="value">What to add.</param>
    protected abstract TBuffer Add(TBuffer buffer, TIn value);

    /// <summary>Adds a buffer to another and gives it back. Associative and commutative.</summary>
    /// <param name="left">May be changed in place.</param>
    /// <param name="right">Left as it is.</param>
    protected abstract TBuffer Merge(TBuffer left, TBuffer right);

    /// <summary>What the driver reads of a buffer.</summary>
    /// <param name="buffer">The total.</param>
    protected abstract TOut Result(TBuffer buffer);

    internal sealed override void WriteBuffer(BlockWriter writer, object buffer) => Codec<TBuffer>.Default.Write(writer, [((Box)buffer).Value]);

    internal sealed override object ReadBuffer(ref BlockReader reader)
    {
        var value = new TBuffer[1];
        Codec<TBuffer>.Default.Read(ref reader, value);
        return new Box { Value = value[0] };
    }

    internal sealed override object NewBuffer() => new Box { Value = Empty() };

    internal sealed override void MergeBuffer(object buffer)
    {
        lock (_lock) _total = Merge(Total(), ((Box)buffer).Value);
    }

    private TBuffer Total()
    {
        if (_started) return _total!;
        _started = true;
        return _total = Empty();
    }

    private sealed class Box
    {
        public TBuffer Value = default!;
    }
}

/// <summary>Counts.</summary>
public sealed class Counter : Accumulator<long, long, long>
{
    internal Counter() { }

    /// <inheritdoc/>
    protected override long Empty() => 0;

    /// <inheritdoc/>
    protected override long Add(long buffer, long value) => buffer + value;

    /// <inheritdoc/>
    protected override long Merge(long left, long right) => left + right;

    /// <inheritdoc/>
    protected override long Result(long buffer) => buffer;
}

/// <summary>Merges values into one of the same type.</summary>
/// <typeparam name="T">The type.</typeparam>
public sealed class MergingAccumulator<T> : Accumulator<T, T, T>
{
    private readonly T _zero;
    private readonly Func<T, T, T> _merge;

    internal MergingAccumulator(T zero, Func<T, T, T> merge)
    {
        _zero = zero;
        _merge = merge;
    }

    /// <inheritdoc/>
    protected override T Empty() => _zero;

    /// <inheritdoc/>
    protected override T Add(T buffer, T value) => _merge(buffer, value);

    /// <inheritdoc/>
    protected override T Merge(T left, T right) => _merge(left, right);

    /// <inheritdoc/>
    protected override T Result(T buffer) => buffer;
}

/// <summary>Gathers values, in no promised order. All of them must fit the driver's memory.</summary>
/// <typeparam name="T">The type.</typeparam>
public sealed class CollectionAccumulator<T> : Accumulator<T, List<T>, IReadOnlyList<T>>
{
    internal CollectionAccumulator() { }

    /// <inheritdoc/>
    protected override List<T> Empty() => [];

    /// <inheritdoc/>
    protected override List<T> Add(List<T> buffer, T value)
    {
        buffer.Add(value);
        return buffer;
    }

    /// <inheritdoc/>
    protected override List<T> Merge(List<T> left, List<T> right)
    {
        left.AddRange(right);
        return left;
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<T> Result(List<T> buffer) => [.. buffer];
}
