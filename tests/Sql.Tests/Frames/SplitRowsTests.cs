using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Frames;

public sealed class SplitRowsTests(PeopleContext rig) : IClassFixture<PeopleContext>
{
    [Theory]
    [InlineData(1, " ")]
    [InlineData(2, " ,;")]
    [InlineData(3, "\t")]
    public void Parts_are_those_that_splitting_by_hand_gives(int seed, string separators)
    {
        var random = new Random(seed);
        var texts = Enumerable.Range(0, 20_000).Select(i => new Line(i, i % 97 == 0 ? null : Text(random, separators), $"passed {i % 13}")).ToArray();
        var rows = rig.Context.FromRecords(texts).SplitRows("Text", separators, "part").Collect<Part>();
        var expected = texts.SelectMany(line => (line.Text ?? "").Split(separators.ToCharArray(), StringSplitOptions.RemoveEmptyEntries).Select(part => new Part(line.Number, line.Passed, part))).ToArray();
        Assert.True(expected.SequenceEqual(rows.OrderBy(row => row.Number)), $"seed {seed}");
    }

    [Fact]
    public void Columns_that_nobody_wants_are_not_carried_along_and_wrong_ones_are_named()
    {
        var lines = rig.Context.FromRecords([new Line(1, "a b a", "x"), new Line(2, "b", "y")]);
        Assert.Equal("[a, 2] [b, 2]", PeopleContext.Text(lines.SplitRows("Text", name: "word").GroupBy("word").Count().OrderBy("word")));
        Assert.Equal("Number, Passed, Text", PeopleContext.Columns(lines.SplitRows("Text")));
        Assert.Equal("[3]", PeopleContext.Text(lines.SplitRows("Text").Where(Col("Number") == 1).Select(Count())));
        Assert.Equal("UNRESOLVED_COLUMN", Assert.Throws<QueryException>(() => lines.SplitRows("word")).ErrorClass);
        Assert.Equal("DATATYPE_MISMATCH", Assert.Throws<QueryException>(() => lines.SplitRows("Number")).ErrorClass);
        Assert.Throws<ArgumentException>(() => lines.SplitRows("Text", "é"));
    }

    [Fact]
    public void Bytes_become_text_and_text_bytes_as_they_are() =>
        Assert.Equal("[häuser, 7, NULL]", PeopleContext.Text(rig.Context.Sql("SELECT CAST(b AS STRING), octet_length(b), CAST(CAST(NULL AS BINARY) AS STRING) FROM (SELECT CAST(s AS BINARY) AS b FROM VALUES ('häuser') AS t(s))")));

    // Of all lengths around those at which views and vectors change their ways.
    private static string Text(Random random, string separators) =>
        string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => new string((char)('a' + random.Next(26)), random.Next(20)) + new string(separators[random.Next(separators.Length)], random.Next(3))));

    private sealed record Line(int Number, string? Text, string Passed);

    private sealed record Part(int Number, string Passed, string part);
}
