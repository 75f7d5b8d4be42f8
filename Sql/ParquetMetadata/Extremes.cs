using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Finds the smallest and the largest of many integers.</summary>
internal static unsafe class Extremes
{
    /// <summary>Smallest and largest of integers, of which there is at least one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (T Low, T High) Of<T>(T* values, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        var (low, high) = (values[0], values[0]);
        var i = 0;
        if (count >= Vector512<T>.Count)
        {
            var least = Vector512.Load(values);
            var most = least;
            for (; i + Vector512<T>.Count <= count; i += Vector512<T>.Count)
            {
                var next = Vector512.Load(values + i);
                least = Vector512.Min(least, next);
                most = Vector512.Max(most, next);
            }
            for (var lane = 0; lane < Vector512<T>.Count; lane++)
            {
                low = T.Min(low, least[lane]);
                high = T.Max(high, most[lane]);
            }
        }
        for (; i < count; i++)
        {
            low = T.Min(low, values[i]);
            high = T.Max(high, values[i]);
        }
        return (low, high);
    }
}
