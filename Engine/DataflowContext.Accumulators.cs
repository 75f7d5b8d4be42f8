using System.Collections.Concurrent;

namespace Dataflow;

// Accumulators: values that tasks add to and the driver reads.
public sealed partial class DataflowContext
{
    // Held weakly: nobody can ask for the value of one that the program has dropped.
    private readonly ConcurrentDictionary<int, WeakReference<Accumulator>> _accumulators = new();
    private static int _contexts;
    private readonly int _number = Interlocked.Increment(ref _contexts);
    private int _nextAccumulator;

    /// <summary>A counter that tasks add to.</summary>
    /// <param name="name">Its name on pages and in logs.</param>
    public Counter Counter(string name) => Register(new Counter(), name);

    /// <summary>A sum of doubles. Partial sums merge as tasks end, so the last digits may differ between runs; <c>Sum</c> is exact about order.</summary>
    /// <param name="name">Its name on pages and in logs.</param>
    public MergingAccumulator<double> DoubleAccumulator(string name) => Accumulator(name, 0.0, static (a, b) => a + b);

    /// <summary>An accumulator that merges values.</summary>
    /// <typeparam name="T">Type of the values.</typeparam>
    /// <param name="name">Its name on pages and in logs.</param>
    /// <param name="zero">Neutral: merging it changes nothing. Not changed in place.</param>
    /// <param name="merge">Associative and commutative; gives a new value instead of changing one.</param>
    public MergingAccumulator<T> Accumulator<T>(string name, T zero, Func<T, T, T> merge)
    {
        ArgumentNullException.ThrowIfNull(merge);
        return Register(new MergingAccumulator<T>(zero, merge), name);
    }

    /// <summary>An accumulator that gathers values, in no promised order.</summary>
    /// <typeparam name="T">Type of the values.</typeparam>
    /// <param name="name">Its name on pages and in logs.</param>
    public CollectionAccumulator<T> CollectionAccumulator<T>(string name) => Register(new CollectionAccumulator<T>(), name);

    /// <summary>Makes an accumulator of one's own known to the context; needed before its first use.</summary>
    /// <typeparam name="TAccumulator">Its type.</typeparam>
    /// <param name="accumulator">Not registered yet.</param>
    /// <param name="name">Its name on pages and in logs.</param>
    /// <returns>The accumulator.</returns>
    public TAccumulator Register<TAccumulator>(TAccumulator accumulator, string name)
        where TAccumulator : Accumulator
    {
        ThrowIfStopped();
        ArgumentNullException.ThrowIfNull(accumulator);
        if (accumulator.Id >= 0) throw new InvalidOperationException($"The accumulator '{accumulator.Name}' is registered already.");
        accumulator.Name = name;
        accumulator.Home = _number;
        accumulator.Id = Interlocked.Increment(ref _nextAccumulator) - 1;
        _accumulators[accumulator.Id] = new WeakReference<Accumulator>(accumulator);
        return accumulator;
    }

    /// <summary>The accumulator of a number; null if there is none, or the program has dropped it.</summary>
    internal Accumulator? FindAccumulator(int id)
    {
        if (!_accumulators.TryGetValue(id, out var held)) return null;
        if (held.TryGetTarget(out var accumulator)) return accumulator;
        _accumulators.TryRemove(id, out _);
        return null;
    }
}
