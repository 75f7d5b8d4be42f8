using Dataflow.Storage;

namespace Dataflow.Engine.Tests.Storage;

public sealed unsafe class NativePoolTests
{
    [Theory]
    [InlineData(0, 4096)]
    [InlineData(1, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 8192)]
    [InlineData(65536, 65536)]
    [InlineData(4 << 20, 4 << 20)]
    [InlineData((4 << 20) + 1, 5 << 20)]
    [InlineData(9 << 20, 10 << 20)]
    [InlineData(16 << 20, 16 << 20)]
    public void A_buffer_has_the_asked_length_its_class_s_capacity_and_is_aligned(int length, int capacity)
    {
        using var pool = new NativePool();
        using var buffer = pool.Rent(length);
        Assert.Equal(length, buffer.Length);
        Assert.Equal(length, buffer.Span.Length);
        Assert.Equal(capacity, buffer.Capacity);
        Assert.Equal(capacity, NativePool.CapacityOf(length));
        Assert.Equal(0, (long)buffer.Pointer % 64);
        buffer.Span.Fill(7);
        Assert.Equal(capacity, pool.OutstandingBytes);
    }

    [Fact]
    public void Outstanding_bytes_return_to_zero()
    {
        using var pool = new NativePool();
        var buffers = Enumerable.Range(0, 200).Select(i => pool.Rent(i * 997)).ToList();
        Assert.Equal(buffers.Sum(buffer => (long)buffer.Capacity), pool.OutstandingBytes);
        foreach (var buffer in buffers) buffer.Dispose();
        Assert.Equal(0, pool.OutstandingBytes);
        Assert.True(pool.IdleBytes > 0);
        pool.Trim();
        Assert.Equal(0, pool.IdleBytes);
        Assert.Null(pool.LeakReport());
    }

    [Fact]
    public void A_large_buffer_that_was_returned_is_lent_again_and_given_back_when_asked()
    {
        using var pool = new NativePool();
        var first = pool.Rent(9 << 20);
        var place = AddressOf(first);
        first.Dispose();
        Assert.Equal(10L << 20, pool.IdleBytes);
        using (var again = pool.Rent((9 << 20) - 100)) Assert.Equal(place, AddressOf(again));
        Assert.Equal(10L << 20, pool.Trim());
        Assert.Equal(0, pool.IdleBytes);

        static unsafe nint AddressOf(NativeBuffer buffer) => (nint)buffer.Pointer;
    }

    [Fact]
    public void Memory_lives_until_its_last_lease_ends()
    {
        using var pool = new NativePool(new NativePoolOptions { DebugFill = true });
        var first = pool.Rent(1000);
        first.Span.Fill(42);
        var second = first.Retain();
        var slice = first.Retain(10, 5);
        first.Dispose();
        first.Dispose();
        second.Dispose();
        Assert.Equal(5, slice.Length);
        Assert.All(slice.Span.ToArray(), value => Assert.Equal(42, value));
        Assert.Equal(4096, pool.OutstandingBytes);
        slice.Dispose();
        Assert.Equal(0, pool.OutstandingBytes);
    }

    [Fact]
    public void A_lease_that_ended_refuses_to_be_used()
    {
        using var pool = new NativePool();
        var buffer = pool.Rent(100);
        using var other = buffer.Retain();
        buffer.Dispose();
        Assert.True(buffer.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => buffer.Retain());
        Assert.Throws<ArgumentOutOfRangeException>(() => other.Retain(90, 11));
        Assert.Equal(100, other.Span.Length);
    }

    [Fact]
    public void A_write_after_the_last_lease_is_found_at_the_next_rent()
    {
        using var pool = new NativePool(new NativePoolOptions { DebugFill = true });
        var buffer = pool.Rent(4096);
        var stale = buffer.Pointer;
        Assert.Equal(0xCD, stale[17]);
        buffer.Dispose();
        Assert.Equal(0xDD, stale[17]);
        stale[17] = 1;
        var error = Assert.Throws<InvalidOperationException>(() =>
        {
            // The buffer may wait in the cache of another processor; it comes back within as many rents as there are free ones.
            for (var i = 0; i < 64; i++) pool.Rent(4096);
        });
        Assert.Contains("Byte 17 of a native buffer of 4 KB", error.Message);
    }

    [Fact]
    public void The_leak_report_names_the_owners()
    {
        var pool = new NativePool(new NativePoolOptions { TrackOwners = true });
        using var leaked = pool.Rent(5000, "sort of stage 3");
        pool.Rent(5000, "good citizen").Dispose();
        var report = pool.LeakReport();
        Assert.Contains("8 KB of native buffers were not returned", report);
        Assert.Contains("sort of stage 3: 1 buffers, 8 KB", report);
        Assert.DoesNotContain("good citizen", report);
        pool.Dispose();
        leaked.Span.Fill(1);
    }

    [Fact]
    public void A_disposed_pool_refuses_rents_and_takes_returns()
    {
        var pool = new NativePool();
        var buffer = pool.Rent(100);
        var large = pool.Rent(5 << 20);
        pool.Dispose();
        buffer.Span.Fill(9);
        large.Span[^1] = 9;
        Assert.Throws<ObjectDisposedException>(() => pool.Rent(1));
        buffer.Dispose();
        large.Dispose();
        Assert.Equal(0, pool.OutstandingBytes);
        Assert.Equal(0, pool.IdleBytes);
    }

    [Fact]
    public void Free_memory_beyond_the_idle_bound_goes_back_to_the_system()
    {
        using var pool = new NativePool(new NativePoolOptions { IdleBytes = 8 << 20 });
        var buffers = Enumerable.Range(0, 64).Select(_ => pool.Rent(1 << 20)).ToList();
        foreach (var buffer in buffers) buffer.Dispose();
        Assert.InRange(pool.IdleBytes, 0, (8 << 20) + (2 << 20));
    }

    [Fact]
    public void A_process_keeps_an_eighth_of_the_memory_it_was_given_and_a_sixteenth_of_the_machine_s_if_none_was()
    {
        Assert.Equal(512L << 20, NativePoolOptions.Within(new DataflowOptions { MemoryBytes = 4L << 30 }).IdleBytes);
        var usual = new NativePoolOptions().IdleBytes;
        Assert.Equal(usual, NativePoolOptions.Within(new DataflowOptions { MemoryBytes = 100 << 20 }).IdleBytes);
        Assert.Equal(Math.Max(usual, MachineMemory.Bytes / 16), NativePoolOptions.Within(new DataflowOptions()).IdleBytes);
    }

    [Fact]
    public void Trimmed_memory_reads_as_fresh_and_is_used_again()
    {
        using var pool = new NativePool();
        var addresses = new HashSet<nint>();
        for (var round = 0; round < 3; round++)
        {
            var buffers = Enumerable.Range(0, 32).Select(_ => pool.Rent(64 << 10)).ToList();
            foreach (var buffer in buffers)
            {
                addresses.Add((nint)buffer.Pointer);
                if (OperatingSystem.IsLinux()) Assert.Equal(-1, buffer.Span.IndexOfAnyExcept((byte)0));
                buffer.Span.Fill(0xFF);
            }
            foreach (var buffer in buffers) buffer.Dispose();
            Assert.Equal(32 * (64 << 10), pool.Trim());
        }
        if (OperatingSystem.IsLinux()) Assert.Equal(32, addresses.Count);
    }

    [Fact]
    public void Small_pages_and_the_portable_allocator_give_usable_memory()
    {
        using var small = new NativePool(new NativePoolOptions { HugePages = false });
        using var portable = new NativePool(new NativePoolOptions(), NativePages.CreatePortable());
        foreach (var pool in new[] { small, portable })
        {
            var buffers = Enumerable.Range(0, 50).Select(i => pool.Rent(i * 9000)).ToList();
            foreach (var buffer in buffers) buffer.Span.Fill(1);
            foreach (var buffer in buffers) buffer.Dispose();
            pool.Trim();
            using var again = pool.Rent(9000);
            again.Span.Fill(2);
            Assert.Equal(16384, pool.OutstandingBytes);
        }
    }

    [Fact]
    public void Threads_that_pass_buffers_to_each_other_never_share_one()
    {
        using var pool = new NativePool(new NativePoolOptions { DebugFill = true });
        var shared = new NativeBuffer?[64];
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 5000; i++)
            {
                var buffer = pool.Rent(random.Next(1, 20_000));
                var mark = (byte)random.Next(256);
                buffer.Span.Fill(mark);
                Assert.Equal(-1, buffer.Span.IndexOfAnyExcept(mark));
                var old = Interlocked.Exchange(ref shared[random.Next(shared.Length)], buffer);
                if (old is null) continue;
                var first = old.Span[0];
                Assert.Equal(-1, old.Span.IndexOfAnyExcept(first));
                old.Dispose();
            }
        });
        foreach (var buffer in shared) buffer?.Dispose();
        Assert.Equal(0, pool.OutstandingBytes);
    }

    [Fact]
    public void Memory_of_a_buffer_serves_asynchronous_writers()
    {
        using var pool = new NativePool();
        using var buffer = pool.Rent(3);
        buffer.Memory.Span[2] = 5;
        using var handle = buffer.Memory.Pin();
        Assert.Equal(5, ((byte*)handle.Pointer)[2]);
    }
}
