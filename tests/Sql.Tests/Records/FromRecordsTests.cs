using Dataflow.Sql.Tests.Frames;
using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Records;

public sealed class FromRecordsTests(PeopleContext rig) : IClassFixture<PeopleContext>
{
    private enum Colour
    {
        Red,
        Green,
    }

    [Fact]
    public void Records_become_columns_and_come_back_the_same()
    {
        var things = Enumerable.Range(0, 20_000).Select(i => new Thing(
            i % 2 == 0, (sbyte)(i % 100), (byte)(i % 200), (short)i, (ushort)i, i, (uint)i, -(long)i * i, i / 3f, i / 7.0, i / 8m,
            i % 5 == 0 ? null : $"text number {i}", (char)('a' + (i % 26)), i % 3 == 0 ? null : [1, (byte)i], new DateOnly(2000, 1, 1).AddDays(i), new DateTime(2020, 1, 1).AddMinutes(i),
            new DateTimeOffset(1960, 1, 1, 0, 0, 0, TimeSpan.FromHours(2)).AddTicks(10L * i), TimeSpan.FromMilliseconds(i), (Colour)(i % 2), i % 4 == 0 ? null : i, new Guid(i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10))).ToArray();
        var frame = rig.Context.FromRecords(things, partitions: 3);
        Assert.Equal(
            "a boolean not null, b tinyint not null, c smallint not null, d smallint not null, e int not null, f int not null, g bigint not null, h bigint not null, i float not null, j double not null, k decimal(38,18) not null, l string, m string not null, n binary, o date not null, p timestamp_ntz not null, q timestamp not null, r interval day to second not null, s string not null, t int, u string not null",
            frame.Schema.ToString().Replace(" A", " a", StringComparison.Ordinal).ToLowerInvariant());
        var back = frame.Select("A", "B", "D", "F", "H", "I", "J", "K", "L", "M", "O", "P", "Q", "R", "S", "T", "U").Collect<Back>();
        Assert.Equal(things.Select(x => new Back(x.A, x.B, x.D, x.F, x.H, x.I, x.J, x.K, x.L, x.M, x.O, x.P, x.Q, x.R, x.S, x.T, x.U)), back);
        Assert.Equal(things.Length, frame.Count());
    }

    [Fact]
    public void Only_columns_that_are_read_are_made()
    {
        var frame = rig.Context.FromRecords([new Touchy { Fine = 1 }]);
        Assert.Equal([1], frame.Select("Fine").Collect<int>());
        Assert.Throws<JobFailedException>(() => frame.Collect());
    }

    [Fact]
    public void An_rdd_becomes_a_frame_and_an_rdd_again()
    {
        var pairs = rig.Context.Parallelize(Enumerable.Range(1, 1000), 4).Map(i => (Key: i % 10, Value: (long)i));
        var sums = pairs.ToDataFrame().GroupBy("Item1").Agg(Sum("Item2").As("total"));
        var back = sums.ToRdd<(int Key, long Total)>().Map(pair => pair.Total - pair.Key).Collect().Order();
        Assert.Equal(Enumerable.Range(0, 10).Select(key => Enumerable.Range(1, 1000).Where(i => i % 10 == key).Sum() - (long)key).Order(), back);
    }

    [Fact]
    public void Plain_values_have_a_column_value()
    {
        Assert.Equal("[1] [2]", PeopleContext.Sorted(rig.Context.FromRecords([1, 2])));
        Assert.Equal("value", PeopleContext.Columns(rig.Context.FromRecords(["a"])));
        Assert.True(rig.Context.FromRecords(Array.Empty<string>()).IsEmpty());
    }

    [Fact]
    public void A_property_without_sql_type_is_named() =>
        Assert.Contains("Nested.Inner is a", Assert.Throws<QueryException>(() => rig.Context.FromRecords(Array.Empty<Nested>())).Message, StringComparison.Ordinal);

    [Fact]
    public void Rows_made_by_hand_are_checked()
    {
        var schema = new Schema(new Field("id", DataType.BigInt, Nullable: false), new Field("day", DataType.Date));
        var frame = rig.Context.CreateDataFrame([[1, new DateOnly(2024, 1, 2)], [2L, null]], schema);
        Assert.Equal("[1, 2024-01-02] [2, NULL]", PeopleContext.Sorted(frame));
        Assert.Contains("Row 0 has NULL for the column 'id", Assert.Throws<QueryException>(() => rig.Context.CreateDataFrame([[null, null]], schema)).Message, StringComparison.Ordinal);
        Assert.Contains("Row 1 has 1 values", Assert.Throws<QueryException>(() => rig.Context.CreateDataFrame([[1, null], [1]], schema)).Message, StringComparison.Ordinal);
    }

    private sealed record Thing(
        bool A, sbyte B, byte C, short D, ushort E, int F, uint G, long H, float I, double J, decimal K, string? L, char M, byte[]? N, DateOnly O, DateTime P, DateTimeOffset Q, TimeSpan R,
        Colour S, int? T, Guid U);

    private sealed record Back(
        bool A, sbyte B, short D, int F, long H, float I, double J, decimal K, string? L, char M, DateOnly O, DateTime P, DateTimeOffset Q, TimeSpan R, Colour S, int? T, Guid U);

    private sealed record Nested(Back Inner);

    private sealed class Touchy
    {
        public int Fine { get; init; }

        public int Broken => throw new InvalidOperationException("not to be read");
    }
}
