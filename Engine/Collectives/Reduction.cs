using System.Numerics;

namespace Dataflow.Collectives;

/// <summary>How the numbers that tasks bring become one. Always in the order of the tasks: task 0 with task 1, that with task 2, and so on.</summary>
public enum Reduction
{
    /// <summary>Their sum; integers wrap around.</summary>
    Sum,

    /// <summary>The least; NaN if any is NaN, and -0.0 is less than 0.0.</summary>
    Min,

    /// <summary>The greatest; NaN if any is NaN, and 0.0 is greater than -0.0.</summary>
    Max,
}

/// <summary>Takes the values of the next task in.</summary>
internal interface IFold<T>
{
    void Take(Span<T> sum, ReadOnlySpan<T> next);
}

/// <summary>The reductions that there are, in SIMD. An element's result does not depend on where in the vector it lies.</summary>
internal readonly struct NumberFold<T>(Reduction reduction) : IFold<T>
    where T : unmanaged, INumber<T>
{
    public void Take(Span<T> sum, ReadOnlySpan<T> next)
    {
        next = next[..sum.Length];
        var done = 0;
        if (Vector<T>.IsSupported)
        {
            for (; done <= sum.Length - Vector<T>.Count; done += Vector<T>.Count)
            {
                Vector<T> a = new(sum[done..]), b = new(next[done..]);
                (reduction switch
                {
                    Reduction.Sum => a + b,
                    Reduction.Min => Vector.Min(a, b),
                    _ => Vector.Max(a, b),
                }).CopyTo(sum[done..]);
            }
        }
        for (; done < sum.Length; done++)
        {
            sum[done] = reduction switch
            {
                Reduction.Sum => sum[done] + next[done],
                Reduction.Min => T.Min(sum[done], next[done]),
                _ => T.Max(sum[done], next[done]),
            };
        }
    }
}

/// <summary>A combiner of the program.</summary>
internal readonly struct CustomFold<T>(Func<T, T, T> combine) : IFold<T>
{
    public void Take(Span<T> sum, ReadOnlySpan<T> next)
    {
        for (var i = 0; i < sum.Length; i++) sum[i] = combine(sum[i], next[i]);
    }
}
