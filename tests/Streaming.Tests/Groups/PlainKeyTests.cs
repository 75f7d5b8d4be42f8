namespace Dataflow.Streaming.Tests.Groups;

/// <summary>A record that keeps what it is made of.</summary>
public sealed record Kept(long Key, string Word);

/// <summary>A record that makes something else of what it is given.</summary>
public sealed record Doubled(long Key, string Word)
{
    /// <summary>Twice what it was made of.</summary>
    public long Key { get; init; } = Key * 2;
}

/// <summary>An object whose other property changes the key.</summary>
public sealed class Shifted(long key)
{
    /// <summary>The key.</summary>
    public long Key { get; private set; } = key;

    /// <summary>Moves the key.</summary>
    public string Word
    {
        set => Key += value.Length;
    }
}

/// <summary>An object that rows can become in two ways, of which the first is taken.</summary>
public sealed class Twofold
{
    /// <summary>Makes another key.</summary>
    public Twofold(string word, long key) => (Key, Word) = (key + word.Length, word);

    /// <summary>Keeps what it is given.</summary>
    public Twofold(long key, string word)
    {
        Key = key;
        Word = word;
    }

    /// <summary>The key.</summary>
    public long Key { get; }

    /// <summary>Something besides.</summary>
    public string Word { get; }
}

/// <summary>A key that is a property is what the object says it is, whether objects are made for it or not.</summary>
public sealed class PlainKeyTests
{
    [Fact]
    public async Task A_column_is_the_key_of_a_record_that_keeps_it() =>
        Assert.Equal(["0 2", "1 1", "2 1"], await CountsAsync((Kept kept) => kept.Key));

    [Fact]
    public async Task Text_is_a_key_too()
    {
        await using var context = DataflowContext.Local(2);
        var counts = context.FromRecords(Rows).GroupByKey((Kept kept) => kept.Word).MapGroupsWithState<int, string>((word, rows, _) => $"{word} {rows.Count()}");
        Assert.Equal(["a 2", "bcd 2"], counts.Collect<string>().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Text_that_is_not_utf8_is_the_key_that_objects_have()
    {
        await using var context = DataflowContext.Local(2);
        var rows = context.Sql("SELECT CAST(b AS STRING) AS Word, CAST(1 AS BIGINT) AS Key FROM VALUES (X'FF'), (X'FE'), (X'41') AS t(b)");
        var counts = rows.GroupByKey((Kept kept) => kept.Word).MapGroupsWithState<int, string>((word, each, _) => $"{word} {each.Count()}");
        Assert.Equal(["A 1", "\uFFFD 2"], counts.Collect<string>().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_a_record_makes_of_a_column_is_the_key() =>
        Assert.Equal(["0 2", "2 1", "4 1"], await CountsAsync((Doubled doubled) => doubled.Key));

    [Fact]
    public async Task What_a_setter_makes_of_a_key_is_the_key() =>
        Assert.Equal(["1 1", "3 2", "4 1"], await CountsAsync((Shifted shifted) => shifted.Key));

    [Fact]
    public async Task What_the_constructor_that_is_taken_makes_of_a_key_is_the_key() =>
        Assert.Equal(["1 1", "3 2", "4 1"], await CountsAsync((Twofold twofold) => twofold.Key));

    [Fact]
    public async Task A_computed_key_is_computed() =>
        Assert.Equal(["10 2", "11 1", "12 1"], await CountsAsync((Kept kept) => kept.Key + 10));

    private static readonly Kept[] Rows = [new(0, "a"), new(1, "bcd"), new(2, "a"), new(0, "bcd")];

    private static async Task<IEnumerable<string>> CountsAsync<TRow>(Func<TRow, long> key)
    {
        await using var context = DataflowContext.Local(2);
        var counts = context.FromRecords(Rows).GroupByKey(key).MapGroupsWithState<int, string>((each, rows, _) => $"{each} {rows.Count()}");
        return counts.Collect<string>().Order(StringComparer.Ordinal);
    }
}
