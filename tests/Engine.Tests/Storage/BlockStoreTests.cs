using Dataflow.Storage;
using static Dataflow.Engine.Tests.Storage.StoreRig;

namespace Dataflow.Engine.Tests.Storage;

public sealed class BlockStoreTests
{
    private static readonly StorageLevel[] Levels =
    [
        StorageLevel.MemoryOnly, StorageLevel.MemoryOnlySerialized, StorageLevel.MemoryAndDisk, StorageLevel.MemoryAndDiskSerialized, StorageLevel.DiskOnly,
    ];

    public static TheoryData<int> LevelNumbers => [.. Enumerable.Range(0, Levels.Length)];

    [Theory]
    [MemberData(nameof(LevelNumbers))]
    public void A_kept_block_gives_the_same_elements_again_without_computing(int number)
    {
        var level = Levels[number];
        using var rig = new StoreRig(64 * MB);
        foreach (var count in new[] { 0, 1, 15, 1024, 30_000 })
        {
            var numbers = Enumerable.Range(count, count).ToList();
            var texts = numbers.Select(i => $"row {i}").ToList();
            var pairs = numbers.Select(i => (Key: $"k{i % 10}", Value: (long)i)).ToList();
            var rdd = count * 3;
            Assert.Equal(numbers, rig.Read(new(rdd, 0), level, numbers));
            Assert.Equal(texts, rig.Read(new(rdd + 1, 0), level, texts));
            Assert.Equal(pairs, rig.Read(new(rdd + 2, 0), level, pairs));
            Assert.Equal(numbers, rig.ReadKept<int>(new(rdd, 0)));
            Assert.Equal(texts, rig.ReadKept<string>(new(rdd + 1, 0)));
            Assert.Equal(pairs, rig.ReadKept<(string, long)>(new(rdd + 2, 0)));
        }
        Assert.All(rig.Updates, update => Assert.Equal(BlockChange.Added, update.Change));
    }

    [Fact]
    public void Objects_are_lent_in_place()
    {
        using var rig = new StoreRig(64 * MB);
        var objects = Enumerable.Range(0, 5000).Select(i => new object()).ToList();
        rig.Read(new(0, 0), StorageLevel.MemoryOnly, objects);
        Assert.All(rig.ReadKept<object>(new(0, 0)).Zip(objects), pair => Assert.Same(pair.Second, pair.First));
    }

    [Fact]
    public void Level_none_keeps_nothing()
    {
        using var rig = new StoreRig(64 * MB);
        rig.Read(new(0, 0), StorageLevel.None, Enumerable.Range(0, 10));
        Assert.False(rig.Store.Contains(new(0, 0)));
        Assert.Empty(rig.Updates);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_does_not_fit_memory_only_is_passed_on_and_not_kept(bool serialized)
    {
        using var rig = new StoreRig(1 * MB);
        var level = new StorageLevel(true, false, serialized);
        var numbers = Enumerable.Range(0, 600_000).ToList();
        var texts = Enumerable.Range(0, 60_000).Select(i => $"a row with some text and its number, {i}").ToList();
        Assert.Equal(numbers, rig.Read(new(0, 0), level, numbers));
        Assert.Equal(texts, rig.Read(new(1, 0), level, texts));
        Assert.Equal([(new(0, 0), BlockChange.NotKept), (new(1, 0), BlockChange.NotKept)], rig.Changes);
        Assert.Equal(0, rig.Store.MemoryBytes);
        Assert.Equal(0, rig.Budget.ReservedBytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_does_not_fit_memory_goes_to_disk(bool serialized)
    {
        using var rig = new StoreRig(1 * MB);
        var level = new StorageLevel(true, true, serialized);
        var numbers = Enumerable.Range(0, 600_000).ToList();
        var texts = Enumerable.Range(0, 60_000).Select(i => $"a row with some text and its number, {i}").ToList();
        Assert.Equal(numbers, rig.Read(new(0, 0), level, numbers));
        Assert.Equal(texts, rig.Read(new(1, 0), level, texts));
        Assert.Equal(numbers, rig.ReadKept<int>(new(0, 0)));
        Assert.Equal(texts, rig.ReadKept<string>(new(1, 0)));
        Assert.Equal(0, rig.Store.MemoryBytes);
        Assert.Equal([0L, 0L], rig.Store.Cached.Select(rdd => rdd.MemoryBytes));
        Assert.All(rig.Store.Cached, rdd => Assert.InRange(rdd.DiskBytes, 100_000, 3_000_000));
    }

    [Fact]
    public void The_block_not_used_for_longest_is_evicted_and_never_one_of_the_same_rdd()
    {
        using var rig = new StoreRig(4 * MB);
        var megabyte = Enumerable.Range(0, 1 << 18).ToArray();
        foreach (var partition in new[] { 0, 1, 2 }) rig.Read(new(1, partition), StorageLevel.MemoryOnly, megabyte);
        rig.Read(new(2, 0), StorageLevel.MemoryOnly, megabyte);
        rig.ReadKept<int>(new(1, 0));

        rig.Updates.Clear();
        rig.Read(new(2, 1), StorageLevel.MemoryOnly, megabyte);
        Assert.Equal([(new(1, 1), BlockChange.Evicted), (new(2, 1), BlockChange.Added)], rig.Changes);
        rig.Read(new(2, 2), StorageLevel.MemoryOnly, megabyte);
        rig.Read(new(2, 3), StorageLevel.MemoryOnly, megabyte);
        Assert.True(rig.Store.Contains(new(2, 3)));
        Assert.False(rig.Store.Contains(new(1, 0)));

        rig.Updates.Clear();
        rig.Read(new(2, 4), StorageLevel.MemoryOnly, megabyte);
        Assert.Equal([(new(2, 4), BlockChange.NotKept)], rig.Changes);
    }

    [Fact]
    public void An_evicted_block_moves_to_disk_if_its_level_says_so()
    {
        using var rig = new StoreRig(2 * MB);
        var texts = Enumerable.Range(0, 10_000).Select(i => $"row {i}").ToList();
        var numbers = Enumerable.Range(0, 200_000).ToArray();
        rig.Read(new(0, 0), StorageLevel.MemoryAndDisk, texts);
        rig.Read(new(1, 0), StorageLevel.MemoryAndDiskSerialized, texts);
        rig.Read(new(2, 0), StorageLevel.MemoryAndDisk, numbers);
        using var work = new Work(rig.Budget);
        rig.Budget.Reserve(2 * MB, work);
        Assert.Equal(0, rig.Store.MemoryBytes);
        Assert.Equal(3, rig.Updates.Count(update => update.Change == BlockChange.MovedToDisk));
        Assert.Equal(texts, rig.ReadKept<string>(new(0, 0)));
        Assert.Equal(texts, rig.ReadKept<string>(new(1, 0)));
        Assert.Equal(numbers, rig.ReadKept<int>(new(2, 0)));
    }

    [Fact]
    public void A_block_moved_to_disk_comes_back_when_there_is_room_to_spare()
    {
        using var rig = new StoreRig(2 * MB);
        var numbers = Enumerable.Range(0, 100_000).ToArray();
        var texts = Enumerable.Range(0, 1000).Select(i => $"row {i}").ToList();
        rig.Read(new(0, 0), StorageLevel.MemoryAndDisk, numbers);
        rig.Read(new(1, 0), StorageLevel.MemoryAndDisk, texts);
        using var work = new Work(rig.Budget);
        rig.Budget.Reserve(2 * MB, work);
        rig.Budget.Release(MB / 2, work);
        rig.Updates.Clear();
        Assert.Equal(numbers, rig.ReadKept<int>(new(0, 0)));
        Assert.Empty(rig.Updates);
        rig.Budget.Release(MB, work);
        Assert.Equal(numbers, rig.ReadKept<int>(new(0, 0)));
        Assert.Equal(texts, rig.ReadKept<string>(new(1, 0)));
        Assert.Equal([(new(0, 0), BlockChange.MovedToMemory), (new(1, 0), BlockChange.MovedToMemory)], rig.Changes);
        Assert.All(rig.Store.Cached, rdd => Assert.Equal(0, rdd.DiskBytes));
        Assert.Equal(numbers, rig.ReadKept<int>(new(0, 0)));
    }

    [Fact]
    public void Elements_read_from_the_cache_count_as_input()
    {
        using var rig = new StoreRig(4 * MB);
        rig.Read(new(0, 0), StorageLevel.MemoryOnly, Enumerable.Range(0, 1234));
        using var task = rig.Task();
        using var reader = rig.Store.GetOrCompute<int>(new(0, 0), StorageLevel.MemoryOnly, () => throw new InvalidOperationException(), task);
        reader.ToList();
        Assert.Equal(1234, task.Metrics.InputRecords);
    }

    [Fact]
    public void A_block_that_is_being_read_is_not_evicted()
    {
        using var rig = new StoreRig(2 * MB);
        var numbers = Enumerable.Range(0, 100_000).ToArray();
        rig.Read(new(0, 0), StorageLevel.MemoryOnly, numbers);
        using var task = rig.Task();
        var reader = rig.Store.GetOrCompute<int>(new(0, 0), StorageLevel.MemoryOnly, () => throw new InvalidOperationException(), task);
        Assert.True(reader.TryRead(out _));
        using var work = new Work(rig.Budget);
        Assert.False(rig.Budget.TryReserve(2 * MB, work));
        Assert.True(rig.Store.Contains(new(0, 0)));
        reader.Dispose();
        rig.Budget.Reserve(2 * MB, work);
        Assert.False(rig.Store.Contains(new(0, 0)));
    }

    [Fact]
    public void A_removed_block_is_freed_when_its_last_reader_ends()
    {
        using var rig = new StoreRig(4 * MB);
        var numbers = Enumerable.Range(0, 100_000).ToArray();
        rig.Read(new(7, 0), StorageLevel.MemoryOnly, numbers);
        using var task = rig.Task();
        var reader = rig.Store.GetOrCompute<int>(new(7, 0), StorageLevel.MemoryOnly, () => throw new InvalidOperationException(), task);
        Assert.True(reader.TryRead(out var chunk));
        var first = chunk.Length;
        rig.Store.Remove(7);
        Assert.False(rig.Store.Contains(new(7, 0)));
        Assert.True(rig.Store.MemoryBytes > 0);
        Assert.Equal(numbers[first..], reader.ToList());
        reader.Dispose();
        reader.Dispose();
        Assert.Equal(0, rig.Store.MemoryBytes);
    }

    [Fact]
    public void A_reader_that_its_task_forgets_gives_its_lease_back_when_the_task_ends()
    {
        using var rig = new StoreRig(4 * MB);
        using var task = rig.Task();
        rig.Store.GetOrCompute(new(0, 0), StorageLevel.MemoryOnly, () => ChunkReader<int>.From(Enumerable.Range(0, 1000)), task).TryRead(out _);
        rig.Store.Remove(0);
        Assert.True(rig.Store.MemoryBytes > 0);
        task.Complete();
        Assert.Equal(0, rig.Store.MemoryBytes);
    }

    [Fact]
    public void Of_many_tasks_that_ask_at_once_one_computes()
    {
        using var rig = new StoreRig(16 * MB);
        var computed = 0;
        using var all = new Barrier(8);
        var results = new List<int>[8];
        var threads = Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            using var task = rig.Task();
            all.SignalAndWait();
            using var reader = rig.Store.GetOrCompute(new(0, 0), StorageLevel.MemoryOnly, () =>
            {
                Interlocked.Increment(ref computed);
                return ChunkReader<int>.From(Enumerable.Range(0, 50_000));
            }, task);
            results[i] = reader.ToList();
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(1, computed);
        Assert.All(results, result => Assert.Equal(Enumerable.Range(0, 50_000), result));
    }

    [Fact]
    public async Task A_waiting_task_can_be_cancelled_and_a_failed_computation_is_tried_by_the_next()
    {
        using var rig = new StoreRig(16 * MB);
        using var started = new ManualResetEventSlim();
        using var fail = new ManualResetEventSlim();
        var first = Task.Factory.StartNew(() => rig.Store.GetOrCompute<int>(new(0, 0), StorageLevel.MemoryOnly, () =>
        {
            started.Set();
            fail.Wait();
            throw new FormatException("bad row");
        }, rig.Task()), TaskCreationOptions.LongRunning);
        started.Wait();

        using var cancelled = rig.Task();
        var second = Task.Factory.StartNew(
            () => rig.Store.GetOrCompute(new(0, 0), StorageLevel.MemoryOnly, () => ChunkReader<int>.Empty, cancelled), TaskCreationOptions.LongRunning);
        cancelled.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        var third = Task.Factory.StartNew(() => rig.Read(new(0, 0), StorageLevel.MemoryOnly, Enumerable.Range(0, 10)), TaskCreationOptions.LongRunning);
        fail.Set();
        Assert.Equal("bad row", (await Assert.ThrowsAsync<FormatException>(() => first)).Message);
        Assert.Equal(Enumerable.Range(0, 10), await third);
        Assert.True(rig.Store.Contains(new(0, 0)));
    }

    [Fact]
    public void A_partition_that_asks_for_itself_does_not_wait_for_itself()
    {
        using var rig = new StoreRig(16 * MB);
        using var task = rig.Task();
        using var reader = rig.Store.GetOrCompute(new(0, 0), StorageLevel.MemoryOnly,
            () => rig.Store.GetOrCompute(new(0, 0), StorageLevel.MemoryOnly, () => ChunkReader<int>.From(Enumerable.Range(0, 5)), task), task);
        Assert.Equal(Enumerable.Range(0, 5), reader.ToList());
    }

    [Fact]
    public void An_rdd_removed_while_it_is_computed_is_read_and_then_gone()
    {
        using var rig = new StoreRig(16 * MB);
        IEnumerable<int> Elements()
        {
            yield return 1;
            rig.Store.Remove(0);
            yield return 2;
        }
        Assert.Equal([1, 2], rig.Read(new(0, 0), StorageLevel.MemoryOnly, Elements()));
        Assert.False(rig.Store.Contains(new(0, 0)));
        Assert.Equal(0, rig.Store.MemoryBytes);
    }

    [Fact]
    public void A_damaged_block_on_disk_is_dropped_and_computed_again()
    {
        using var rig = new StoreRig(16 * MB);
        var numbers = Enumerable.Range(0, 200_000).ToArray();
        rig.Read(new(0, 0), StorageLevel.DiskOnly, numbers);
        rig.Disk.OnRead = bytes => bytes[bytes.Length / 2] ^= 4;
        rig.Updates.Clear();
        using var task = rig.Task();
        using var reader = rig.Store.GetOrCompute(new(0, 0), StorageLevel.DiskOnly, () =>
        {
            rig.Disk.OnRead = null;
            return ChunkReader<int>.From(numbers.AsMemory());
        }, task);
        Assert.Equal(numbers, reader.ToList());
        Assert.Equal([(new(0, 0), BlockChange.Damaged), (new(0, 0), BlockChange.Added)], rig.Changes);
        Assert.Contains("checksum", rig.Updates[0].Problem);
    }

    [Fact]
    public void A_block_found_damaged_half_way_fails_the_task_and_is_gone_for_its_retry()
    {
        using var rig = new StoreRig(16 * MB);
        var numbers = Enumerable.Range(0, 400_000).ToArray();
        rig.Read(new(0, 0), StorageLevel.DiskOnly, numbers);
        using var task = rig.Task();
        using var reader = rig.Store.GetOrCompute(new(0, 0), StorageLevel.DiskOnly, () => ChunkReader<int>.From(numbers.AsMemory()), task);
        Assert.True(reader.TryRead(out _));
        rig.Disk.OnRead = bytes => bytes[^1] ^= 1;
        Assert.Throws<CorruptDataException>(() => reader.ToList());
        rig.Disk.OnRead = null;
        Assert.False(rig.Store.Contains(new(0, 0)));
        Assert.Equal(numbers, rig.Read(new(0, 0), StorageLevel.DiskOnly, numbers));
    }

    [Fact]
    public void A_file_that_somebody_removed_is_computed_again()
    {
        using var rig = new StoreRig(16 * MB);
        rig.Read(new(0, 0), StorageLevel.DiskOnly, Enumerable.Range(0, 1000));
        foreach (var file in Directory.EnumerateFiles(rig.Temp.Folder, "cache-*", SearchOption.AllDirectories).ToList()) File.Delete(file);
        Assert.Equal(Enumerable.Range(0, 1000), rig.Read(new(0, 0), StorageLevel.DiskOnly, Enumerable.Range(0, 1000)));
        Assert.True(rig.Store.Contains(new(0, 0)));
    }

    [Fact]
    public void A_full_disk_costs_the_cache_and_not_the_job()
    {
        using var rig = new StoreRig(16 * MB);
        rig.Disk.Room = 300_000;
        var numbers = Enumerable.Range(0, 500_000).ToArray();
        Assert.Equal(numbers, rig.Read(new(0, 0), StorageLevel.DiskOnly, numbers));
        Assert.Equal([(new(0, 0), BlockChange.NotKept)], rig.Changes);
        Assert.Contains("No space left", rig.Updates[0].Problem);

        rig.Disk.Room = 0;
        rig.Read(new(1, 0), StorageLevel.MemoryAndDisk, Enumerable.Range(0, 1_000_000));
        using var work = new Work(rig.Budget);
        rig.Budget.Reserve(16 * MB, work);
        Assert.False(rig.Store.Contains(new(1, 0)));
        Assert.Contains("No space left", rig.Updates[^1].Problem);
    }

    [Fact]
    public void Elements_that_cannot_be_encoded_are_kept_as_objects_or_not_at_all_and_refused_as_bytes()
    {
        using var rig = new StoreRig(1 * MB);
        var readers = Enumerable.Range(0, 10).Select(_ => new StringReader("x")).ToList();
        rig.Read(new(0, 0), StorageLevel.MemoryAndDisk, readers);
        Assert.Same(readers[3], rig.ReadKept<StringReader>(new(0, 0))[3]);
        using var work = new Work(rig.Budget);
        rig.Budget.Reserve(1 * MB, work);
        Assert.Equal(BlockChange.Evicted, rig.Updates[^1].Change);
        Assert.NotNull(rig.Updates[^1].Problem);
        rig.Read(new(0, 0), StorageLevel.MemoryAndDisk, readers);
        Assert.Equal(BlockChange.NotKept, rig.Updates[^1].Change);
        Assert.Throws<CodecException>(() => rig.Read(new(1, 0), StorageLevel.DiskOnly, readers));
    }

    [Fact]
    public void Totals_say_what_is_cached_where()
    {
        using var rig = new StoreRig(64 * MB);
        rig.Read(new(3, 0), StorageLevel.MemoryOnly, Enumerable.Range(0, 1 << 18));
        rig.Read(new(3, 1), StorageLevel.DiskOnly, Enumerable.Range(0, 1000));
        rig.Read(new(4, 0), StorageLevel.MemoryOnlySerialized, Enumerable.Range(0, 10));
        Assert.Equal([3, 4], rig.Store.Cached.Select(rdd => rdd.Rdd));
        Assert.Equal([2, 1], rig.Store.Cached.Select(rdd => rdd.Partitions));
        Assert.Equal([1 * MB, 4096], rig.Store.Cached.Select(rdd => rdd.MemoryBytes));
        Assert.Equal(1 * MB + 4096, rig.Store.MemoryBytes);
        Assert.True(rig.Store.Cached[0].DiskBytes > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Tasks_under_a_budget_too_small_for_all_get_the_right_elements(int seed)
    {
        using var rig = new StoreRig(1 * MB);
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            var random = new Random(seed * 100 + worker);
            for (var i = 0; i < 40; i++)
            {
                var rdd = random.Next(5);
                var partition = random.Next(4);
                var level = Levels[rdd];
                if (random.Next(20) == 0)
                {
                    rig.Store.Remove(rdd);
                    continue;
                }
                var count = 300 + (rdd * 7 + partition) * 500;
                if (partition % 2 == 0)
                {
                    var numbers = Enumerable.Range(rdd * 1_000_000 + partition, count * 4);
                    Assert.True(numbers.SequenceEqual(rig.Read(new(rdd, partition), level, numbers)), $"seed {seed}, worker {worker}, step {i}");
                }
                else
                {
                    var texts = Enumerable.Range(0, count).Select(row => $"{rdd}-{partition}-{row}").ToList();
                    Assert.True(texts.SequenceEqual(rig.Read(new(rdd, partition), level, texts)), $"seed {seed}, worker {worker}, step {i}");
                }
            }
        });
        Assert.Contains(rig.Updates, update => update.Change == BlockChange.MovedToDisk);
        Assert.Contains(rig.Updates, update => update.Change == BlockChange.Evicted);
    }

    private sealed class Work(MemoryBudget budget) : MemoryConsumer(budget, "work", MemoryPriority.Work)
    {
        protected internal override long OnRevoke(long bytes) => 0;
    }
}
