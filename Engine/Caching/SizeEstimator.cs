using System.Runtime.CompilerServices;

namespace Dataflow.Caching;

/// <summary>Estimates what elements refer to on the managed heap, beyond the array slots they lie in. One per partition.</summary>
/// <remarks>
/// Nothing for types without references, exact for strings; otherwise a sample is walked by reflection. The sample is taken in two halves
/// and only the second is scaled up: what all elements share (an interned key, a dictionary they all point to) is met in the first and
/// counted once.
/// </remarks>
internal sealed class SizeEstimator<T>
{
    private const int FirstSample = 32;
    private const int LaterSample = 6;

    private bool _sampled;

    /// <summary>Bytes of all objects that these elements refer to. Costs some 20 us for an array of records, 1 ns an element for
    /// strings.</summary>
    public long ReferencedBytes(ReadOnlySpan<T> items)
    {
        if (!RuntimeHelpers.IsReferenceOrContainsReferences<T>()) return 0;
        if (typeof(T) == typeof(string)) return StringBytes(items);

        var sample = Math.Min(_sampled ? LaterSample : FirstSample, (items.Length + 1) / 2);
        _sampled = true;
        var walk = new ObjectWalk();
        var first = 0L;
        var second = 0L;
        // Spread over the whole, so that a drift along the partition is seen.
        for (var i = 0; i < sample; i++) first += walk.Measure(items[(int)((long)i * items.Length / sample)]);
        var others = Math.Min(sample, items.Length - sample);
        if (others <= 0) return first;
        var step = (double)items.Length / others;
        for (var i = 0; i < others; i++) second += walk.Measure(items[Math.Min((int)(((double)i + 0.5) * step), items.Length - 1)]);
        return first + second + (long)((double)second / others * (items.Length - sample - others));
    }

    private static long StringBytes(ReadOnlySpan<T> items)
    {
        var bytes = 0L;
        foreach (var item in items) bytes += ObjectWalk.StringBytes(Unsafe.As<T, string?>(ref Unsafe.AsRef(in item)));
        return bytes;
    }
}
