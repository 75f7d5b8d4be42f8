namespace Dataflow.MLlib.Numerics;

/// <summary>Exact sums as numbers that travel between tasks and this process.</summary>
internal static class ExactSums
{
    /// <summary>The states of sums, one behind the other.</summary>
    public static long[] StatesOf(ReadOnlySpan<ExactSum> sums)
    {
        var states = new long[sums.Length * ExactSum.StateLength];
        for (var i = 0; i < sums.Length; i++) sums[i].Save(states.AsSpan(i * ExactSum.StateLength));
        return states;
    }

    /// <summary>Sums of what parts have added, place by place.</summary>
    /// <param name="count">How many sums there are.</param>
    /// <param name="parts">What <see cref="StatesOf"/> gave.</param>
    public static ExactSum[] Merge(int count, IEnumerable<long[]> parts)
    {
        var sums = New(count);
        foreach (var part in parts)
        {
            for (var i = 0; i < count; i++) sums[i].Merge(ExactSum.Load(part.AsSpan(i * ExactSum.StateLength, ExactSum.StateLength)));
        }
        return sums;
    }

    /// <summary>Sums of nothing.</summary>
    public static ExactSum[] New(int count)
    {
        var sums = new ExactSum[count];
        for (var i = 0; i < count; i++) sums[i] = new ExactSum();
        return sums;
    }
}
