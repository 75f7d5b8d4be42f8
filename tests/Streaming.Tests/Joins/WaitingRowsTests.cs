using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>An order.</summary>
public sealed record Bought(long Id, string? Item);

/// <summary>What an item is.</summary>
public sealed record Sold(string? Name, int Shelf);

/// <summary>Rows that wait are found whether many are asked for, or few, or often: by an index, or by a look at all of them.</summary>
public sealed class WaitingRowsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Few_and_many_find_what_waits(int seed)
    {
        await using var context = DataflowContext.Local(1);
        var random = new Random(seed);
        var (left, right, sink) = (new MemorySource<Bought>(context), new MemorySource<Sold>(context), new MemorySink());
        var bought = Enumerable.Range(0, 20_000).Select(id => new Bought(id, Item(random, 3000))).ToArray();
        await using var query = context.ReadStream.From(left).Join(context.ReadStream.From(right), Col("Item") == Col("Name"))
            .WriteStream.Start(sink, new() { StatePartitions = 1 });
        left.Add(bought);
        await query.ProcessAllAvailableAsync();
        var sold = new List<Sold>();
        foreach (var count in new[] { 1, 3, 0, 500, 2, 9000, 1, 40 })
        {
            var more = Enumerable.Range(0, count).Select(_ => new Sold(Item(random, 40_000), random.Next(9))).ToArray();
            right.Add(more);
            sold.AddRange(more);

            // Rows that came behind an index, or behind a look at all, are found too.
            var late = Enumerable.Range(0, 70).Select(i => new Bought(bought.Length + i, Item(random, 50))).ToArray();
            left.Add(late);
            bought = [.. bought, .. late];
            await query.ProcessAllAvailableAsync();
        }
        var expected = bought.Join(sold, each => each.Item, each => each.Name, (one, other) => (one, other)).Where(pair => pair.one.Item is not null)
            .Select(pair => $"{pair.one.Id} {pair.one.Item} {pair.other.Shelf}").Order(StringComparer.Ordinal);
        Assert.Equal(expected, sink.Rows.Select(row => $"{row[0]} {row[1]} {row[3]}").Order(StringComparer.Ordinal));
    }

    private static string? Item(Random random, int items) => random.Next(50) == 0 ? null : $"item {random.Next(items)} with a name that is no short one";
}
