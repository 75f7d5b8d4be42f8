using Dataflow.Fusion;

namespace Dataflow.Engine.Tests.Fusion;

public class KernelCacheTests
{
    private static readonly NarrowOperation[] Doubling = [new MapOperation<int, int>(x => x * 2)];

    [Fact]
    public void Equal_operations_with_the_same_lambda_methods_share_a_kernel()
    {
        var cache = new KernelCache(10);
        Assert.Same(Get(cache, Capturing(1)), Get(cache, Capturing(2)));
        Assert.NotSame(Get(cache, Capturing(1)), Get(cache, new MapOperation<int, int>(x => x + 1)));

        static MapOperation<int, int> Capturing(int captured) => new(x => x + captured);
    }

    [Fact]
    public void A_method_shared_by_two_types_of_a_generic_makes_two_kernels()
    {
        var cache = new KernelCache(10);
        Assert.NotSame(Get(cache, Of<string>()), Get(cache, Of<object>()));

        static MapOperation<T, (T, int)> Of<T>()
            where T : class => new(x => (x, 1));
    }

    [Fact]
    public void The_kernels_used_last_are_kept_up_to_the_limit()
    {
        var cache = new KernelCache(2);
        var (a, b, c) = (new MapOperation<int, int>(x => x), new MapOperation<int, long>(x => x), new MapOperation<int, byte>(x => (byte)x));
        var first = Get(cache, a);
        var second = Get(cache, b);
        Assert.Same(first, Get(cache, a));
        Get(cache, c);
        Assert.Equal(2, cache.Count);
        Assert.Same(first, Get(cache, a));
        Assert.NotSame(second, Get(cache, b));
    }

    [Fact]
    public void A_kernel_is_cold_until_enough_elements_went_the_slow_way_or_it_is_written()
    {
        var kernel = new KernelCache(10).Get(Doubling, typeof(StoreSink<>), [LambdaCall.Of(Doubling[0].Lambda), default]);
        Assert.True(kernel.IsCold(100));
        kernel.Warm(60);
        Assert.True(kernel.IsCold(100));
        kernel.Warm(60);
        Assert.False(kernel.IsCold(100));
        Assert.True(kernel.IsCold(1000));
        kernel.Code<int, int>(Doubling, new StoreSink<int>(), [LambdaCall.Of(Doubling[0].Lambda), default]);
        Assert.False(kernel.IsCold(1000));
    }

    private static CachedKernel Get(KernelCache cache, NarrowOperation operation) =>
        cache.Get([operation], typeof(StoreSink<>), [LambdaCall.Of(operation.Lambda), default]);
}
