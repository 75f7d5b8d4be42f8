using System.Collections.Concurrent;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests;

/// <summary>Rows that go to objects of the program, in the tasks.</summary>
public sealed class ForeachTests
{
    private static readonly ConcurrentDictionary<string, ConcurrentQueue<string>> Told = new();

    [Fact]
    public async Task Each_partition_of_a_batch_gets_a_writer_that_is_opened_given_its_rows_and_closed()
    {
        await using var context = DataflowContext.Local(2);
        var (source, test) = (new MemorySource<int>(context), Guid.NewGuid().ToString());
        await using var query = context.ReadStream.From(source).WriteStream.Foreach(() => new Writer(test, skips: -1));
        source.Add([.. Enumerable.Range(0, 20)]);
        await query.ProcessAllAvailableAsync();
        source.Add(20, 21);
        await query.ProcessAllAvailableAsync();
        var told = Told[test].ToArray();
        Assert.Equal(Enumerable.Range(0, 22).Select(i => $"row {i}").Order(), told.Where(each => each.StartsWith("row", StringComparison.Ordinal)).Order());
        Assert.Contains("open 0 of 0", told);
        Assert.Contains("open 1 of 1", told);
        Assert.Equal(told.Count(each => each.StartsWith("open", StringComparison.Ordinal)), told.Count(each => each == "close"));
    }

    [Fact]
    public async Task A_writer_may_pass_over_a_partition_and_its_error_ends_the_query()
    {
        await using var context = DataflowContext.Local(1);
        var (source, test) = (new MemorySource<int>(context), Guid.NewGuid().ToString());
        await using var query = context.ReadStream.From(source).WriteStream.Foreach(() => new Writer(test, skips: 0));
        source.Add(1, 2);
        await query.ProcessAllAvailableAsync();
        Assert.DoesNotContain("row 1", Told[test]);
        source.Add(-1);
        var error = await Assert.ThrowsAnyAsync<Exception>(() => query.ProcessAllAvailableAsync());
        Assert.Contains("The writer is broken.", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("close after The writer is broken.", Told[test]);
    }

    private sealed class Writer(string test, long skips) : IRowWriter
    {
        private readonly ConcurrentQueue<string> _told = Told.GetOrAdd(test, _ => new());

        public bool Open(int partition, long batch)
        {
            _told.Enqueue($"open {partition} of {batch}");
            return batch != skips;
        }

        public void Process(Row row)
        {
            if (row.Get<int>("value") < 0) throw new IOException("The writer is broken.");
            _told.Enqueue($"row {row.Get<int>("value")}");
        }

        public void Close(Exception? error) => _told.Enqueue(error is null ? "close" : $"close after {error.Message}");
    }
}
