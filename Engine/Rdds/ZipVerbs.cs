using Dataflow.Closures;
using Dataflow.Errors;
using Dataflow.Tasks;

namespace Dataflow;

// Verbs that read partition i of several Rdds side by side.
public abstract partial class Rdd<T>
{
    /// <summary>Pairs the elements of two Rdds by position.</summary>
    /// <remarks>Transformation, narrow. Both need equally many partitions, and equally many elements in each: the job fails otherwise
    /// (LINQ's Zip stops at the shorter).</remarks>
    /// <typeparam name="TOther">Element type of the other.</typeparam>
    /// <param name="other">Of the same context.</param>
    public Rdd<(T First, TOther Second)> Zip<TOther>(Rdd<TOther> other)
    {
        Own(other);
        return Zipped("Zip", [this, other], null, false, (partition, context) =>
            ZipExact(this, other, partition, context));
    }

    /// <summary>Gives the iterators of partition i of two Rdds to a function.</summary>
    /// <remarks>Transformation, narrow. Both need equally many partitions.</remarks>
    /// <typeparam name="T2">Element type of the second.</typeparam>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="second">Of the same context.</param>
    /// <param name="zip">Gets iterators that can be read once.</param>
    /// <param name="keepsPartitioner">True if keys are left as they are, so that the placement still holds.</param>
    public Rdd<TOut> ZipPartitions<T2, TOut>(
        Rdd<T2> second, Func<IEnumerable<T>, IEnumerable<T2>, IEnumerable<TOut>> zip, bool keepsPartitioner = false)
    {
        Own(second);
        ArgumentNullException.ThrowIfNull(zip);
        return Zipped("ZipPartitions", [this, second], zip, keepsPartitioner, (partition, context) =>
            zip(Items(this, partition, 0, context), Items(second, partition, 1, context)));
    }

    /// <summary>Gives the iterators of partition i of three Rdds to a function.</summary>
    /// <remarks>Transformation, narrow. All need equally many partitions.</remarks>
    /// <typeparam name="T2">Element type of the second.</typeparam>
    /// <typeparam name="T3">Element type of the third.</typeparam>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="second">Of the same context.</param>
    /// <param name="third">Of the same context.</param>
    /// <param name="zip">Gets iterators that can be read once.</param>
    /// <param name="keepsPartitioner">True if keys are left as they are, so that the placement still holds.</param>
    public Rdd<TOut> ZipPartitions<T2, T3, TOut>(
        Rdd<T2> second, Rdd<T3> third, Func<IEnumerable<T>, IEnumerable<T2>, IEnumerable<T3>, IEnumerable<TOut>> zip, bool keepsPartitioner = false)
    {
        Own(second);
        Own(third);
        ArgumentNullException.ThrowIfNull(zip);
        return Zipped("ZipPartitions", [this, second, third], zip, keepsPartitioner, (partition, context) =>
            zip(Items(this, partition, 0, context), Items(second, partition, 1, context), Items(third, partition, 2, context)));
    }

    /// <summary>Gives the iterators of partition i of four Rdds to a function.</summary>
    /// <remarks>Transformation, narrow. All need equally many partitions.</remarks>
    /// <typeparam name="T2">Element type of the second.</typeparam>
    /// <typeparam name="T3">Element type of the third.</typeparam>
    /// <typeparam name="T4">Element type of the fourth.</typeparam>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="second">Of the same context.</param>
    /// <param name="third">Of the same context.</param>
    /// <param name="fourth">Of the same context.</param>
    /// <param name="zip">Gets iterators that can be read once.</param>
    /// <param name="keepsPartitioner">True if keys are left as they are, so that the placement still holds.</param>
    public Rdd<TOut> ZipPartitions<T2, T3, T4, TOut>(
        Rdd<T2> second,
        Rdd<T3> third,
        Rdd<T4> fourth,
        Func<IEnumerable<T>, IEnumerable<T2>, IEnumerable<T3>, IEnumerable<T4>, IEnumerable<TOut>> zip,
        bool keepsPartitioner = false)
    {
        Own(second);
        Own(third);
        Own(fourth);
        ArgumentNullException.ThrowIfNull(zip);
        return Zipped("ZipPartitions", [this, second, third, fourth], zip, keepsPartitioner, (partition, context) =>
            zip(Items(this, partition, 0, context), Items(second, partition, 1, context), Items(third, partition, 2, context),
                Items(fourth, partition, 3, context)));
    }

    /// <summary>As <c>ZipPartitions</c> of two Rdds, with an evaluator that a factory makes afresh for each partition.</summary>
    /// <remarks>Transformation, narrow. Both need equally many partitions. Nothing is shared between tasks.</remarks>
    /// <typeparam name="T2">Element type of the second.</typeparam>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="second">Of the same context.</param>
    /// <param name="factory">Makes the evaluator of one partition.</param>
    public Rdd<TOut> ZipPartitionsWithEvaluator<T2, TOut>(Rdd<T2> second, Func<IZippedEvaluator<T, T2, TOut>> factory)
    {
        Own(second);
        ArgumentNullException.ThrowIfNull(factory);
        return Zipped("ZipPartitionsWithEvaluator", [this, second], factory, false, (partition, context) =>
            factory().Evaluate(partition.Index, Items(this, partition, 0, context), Items(second, partition, 1, context)));
    }

    private static ZippedRdd<TOut> Zipped<TOut>(
        string operation, Rdd[] inputs, Delegate? lambda, bool keepsPartitioner, Func<CompositePartition, TaskContext, IEnumerable<TOut>> zip)
    {
        if (lambda is not null) ClosureGuard.Check(lambda, operation);
        return new ZippedRdd<TOut>(
            operation, inputs, (partition, context) => ChunkReader<TOut>.From(NotNull(zip(partition, context), operation)), keepsPartitioner, lambda);
    }

    private static IEnumerable<TItem> Items<TItem>(Rdd<TItem> rdd, CompositePartition partition, int input, TaskContext context)
    {
        var reader = rdd.Read(partition.Parents[input]!, context);
        context.OnCompletion(_ => reader.Dispose());
        return reader.AsEnumerable();
    }

    // Opens the inputs only when it is read, since only then is it sure to be disposed.
    private static IEnumerable<(T, TOther)> ZipExact<TOther>(Rdd<T> first, Rdd<TOther> second, CompositePartition partition, TaskContext context)
    {
        using var left = first.Read(partition.Parents[0]!, context);
        using var right = second.Read(partition.Parents[1]!, context);
        using var others = right.AsEnumerable().GetEnumerator();
        var count = 0L;
        foreach (var item in left.AsEnumerable())
        {
            if (!others.MoveNext()) throw Uneven($"the second ended after {count:N0} elements, the first goes on");
            count++;
            yield return (item, others.Current);
        }
        if (others.MoveNext()) throw Uneven($"the first ended after {count:N0} elements, the second goes on");

        VerbException Uneven(string what) => new(
            $"Zip needs equally many elements in each partition, but in partition {partition.Index} {what}. Join by ZipWithIndex instead.");
    }
}

/// <summary>Turns the elements of partition i of two Rdds into others; made afresh for each partition.</summary>
/// <typeparam name="T1">Element type of the first.</typeparam>
/// <typeparam name="T2">Element type of the second.</typeparam>
/// <typeparam name="TOut">Element type given.</typeparam>
public interface IZippedEvaluator<in T1, in T2, out TOut>
{
    /// <summary>Turns the elements of one partition of each into others.</summary>
    /// <param name="partition">Index of the partition.</param>
    /// <param name="first">Can be read once.</param>
    /// <param name="second">Can be read once.</param>
    IEnumerable<TOut> Evaluate(int partition, IEnumerable<T1> first, IEnumerable<T2> second);
}
