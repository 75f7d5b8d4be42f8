using System.IO.Compression;
using System.Text;
using Dataflow.Sql.Tests.Frames;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Csv;

public sealed class CsvTests(PeopleContext rig) : IClassFixture<PeopleContext>, IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Types_are_found_and_empty_fields_are_null()
    {
        var frame = Read("id,name,price,day,at,ok,code\n1,Ada,1.5,2024-01-02,2024-01-02 03:04:05,true,12345678901234567890\n2,,2,,,FALSE,7\n3,\"\",,2024-02-29,2024-02-29T00:00:00Z,,\n", new() { HasHeader = true });
        Assert.Equal("id bigint, name string, price double, day date, at timestamp, ok boolean, code string", frame.Schema.ToString());
        Assert.Equal(
            "[1, Ada, 1.5, 2024-01-02, 2024-01-02 03:04:05, true, 12345678901234567890] [2, NULL, 2.0, NULL, NULL, false, 7] [3, , NULL, 2024-02-29, 2024-02-29 00:00:00, NULL, NULL]",
            PeopleContext.Text(frame));
    }

    [Fact]
    public void Without_a_header_columns_have_numbers()
    {
        Assert.Equal("_c0, _c1", PeopleContext.Columns(Read("1,a\n2,b")));
        Assert.Equal("[2, b]", PeopleContext.Text(Read("1,a\n2,b").Where(Col("_c0") == 2)));
        Assert.Equal("_c0 string", Read("1\n2\n", new() { InferTypes = false }).Schema.ToString());
    }

    [Theory]
    [InlineData("a,b\r\n1,\"x,y\"\r\n2,\"say \"\"hi\"\"\"\r\n", "[1, x,y] [2, say \"hi\"]")]
    [InlineData("a,b\n1,\"two\nlines\"\n\n2,5\" wide\n", "[1, two\nlines] [2, 5\" wide]")]
    [InlineData("\uFEFFa,b\n1,é\n2,日本", "[1, é] [2, 日本]")]
    [InlineData("a,b\n1,\"open\n2,x\n", "[1, open\n2,x\n]")]
    [InlineData("a,b\n1,\"a\"tail\n2,\"\"\n", "[1, atail] [2, ]")]
    public void Quotes_are_taken_off(string text, string rows) => Assert.Equal(rows, PeopleContext.Text(Read(text, new() { HasHeader = true })));

    [Fact]
    public void Other_programs_write_other_signs()
    {
        var options = new CsvOptions { Delimiter = '|', Quote = '\'', Escape = '\\', Comment = '#', NullValue = "NA" };
        Assert.Equal("[1, it's, NULL] [2, a\\b, x|y]", PeopleContext.Text(Read("# note\n1|'it\\'s'|NA\n#2|b|c\n2|'a\\\\b'|'x|y'\n", options)));
        Assert.Equal("[1, \"a] [2, b\"]", PeopleContext.Text(Read("1,\"a\n2,b\"\n", new() { Quote = null })));
        Assert.Equal("[1, a] [2, b]", PeopleContext.Text(Read("1,\"a\n2,b\n", new() { MultiLine = false })));
        Assert.Throws<ArgumentException>(() => Read("a", new() { Delimiter = '"' }));
        Assert.Throws<ArgumentException>(() => Read("a", new() { Delimiter = 'é' }));
    }

    [Fact]
    public void Dates_are_written_in_many_ways()
    {
        var options = new CsvOptions { DateFormat = "dd.MM.yyyy", TimestampFormat = "yyyyMMddHHmmss" };
        var frame = Read("31.01.2024,x\n29.02.2024,y\n", options);
        Assert.Equal("_c0 date, _c1 string", frame.Schema.ToString());
        Assert.Equal("[2024-01-31, x] [2024-02-29, y]", PeopleContext.Text(frame));
        var typed = Read("20240131235959\n", options with { Schema = new Schema(new Field("t", DataType.TimestampNtz)) });
        Assert.Equal("[2024-01-31 23:59:59]", PeopleContext.Text(typed));
    }

    [Fact]
    public void All_types_are_read()
    {
        Field[] fields =
        [
            new("a", DataType.TinyInt), new("b", DataType.SmallInt), new("c", DataType.Int), new("d", DataType.BigInt), new("e", DataType.Float), new("f", DataType.Double),
            new("g", DataType.Decimal(10, 2)), new("h", DataType.Decimal(38, 4)), new("i", DataType.Binary), new("j", DataType.TimestampNtz),
        ];
        var frame = Read("-128,32767,-2147483648,9223372036854775807,1.5e3,-0.1,-12345678.9,1234567890123456789012345678.5,xy,2024-01-02 03:04:05.678\n+1,,1,-9223372036854775808,nan,1e400,.5,-1,,\n", new() { Schema = new Schema(fields) });
        Assert.Equal(
            "[-128, 32767, -2147483648, 9223372036854775807, 1500.0, -0.1, -12345678.90, 1234567890123456789012345678.5000, 7879, 2024-01-02 03:04:05.678] [1, NULL, 1, -9223372036854775808, NaN, Infinity, 0.50, -1.0000, NULL, NULL]",
            PeopleContext.Text(frame));
    }

    [Fact]
    public void Records_that_do_not_fit_are_null_left_out_or_an_error()
    {
        var schema = new Schema(new Field("a", DataType.Int), new Field("b", DataType.Int, Nullable: false));
        const string text = "1,2\nx,3\n4\n5,6,7\n8,9\n";
        Assert.Equal("[1, 2] [NULL, 3] [4, NULL] [5, 6] [8, 9]", PeopleContext.Text(Read(text, new() { Schema = schema })));
        Assert.Equal("[1, 2, NULL] [NULL, 3, x,3] [4, NULL, 4] [5, 6, 5,6,7] [8, 9, NULL]", PeopleContext.Text(Read(text, new() { Schema = schema, CorruptRecordColumn = "bad" })));
        Assert.Equal("[x,3] [4] [5,6,7]", PeopleContext.Text(Read(text, new() { Schema = schema, CorruptRecordColumn = "bad" }).Select("bad").Where("bad is not null")));
        Assert.Equal("[1, 2] [8, 9]", PeopleContext.Text(Read(text, new() { Schema = schema, Mode = MalformedMode.DropMalformed })));
        var frame = Read(text, new() { Schema = schema, Mode = MalformedMode.FailFast });
        var error = Assert.Throws<QueryException>(() => frame.Collect());
        Assert.Equal("MALFORMED_RECORD_IN_PARSING", error.ErrorClass);
        Assert.Contains("at byte 4 does not fit: its field 'a' is no int. It reads: x,3", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public void Conditions_leave_the_rows_that_they_leave_anywhere(int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder("a,b,c,d,a2\n");
        for (var i = 0; i < 30_000; i++)
        {
            var key = random.Next(10) == 0 ? "" : random.Next(1000).ToString();
            text.Append(key).Append(',').Append(random.Next(20) == 0 ? "wrong" : random.Next(100).ToString()).Append(",\"t \"\"").Append(random.Next(50)).Append("\"\"\",").Append(random.Next(3) == 0 ? "true" : "false").Append(',').Append(key).Append('\n');
        }
        var schema = new Schema(new("a", DataType.Int), new("b", DataType.Int), new("c", DataType.String), new("d", DataType.Boolean), new("a2", DataType.Int));
        var frame = Read(text.ToString(), new() { HasHeader = true, Schema = schema, SplitBytes = 100_000 });
        var all = frame.Collect().Select(row => (A: (int?)row[0], B: (int?)row[1], C: (string?)row[2], D: (bool?)row[3])).ToArray();
        Check("a < 5", row => row.A < 5);
        Check("b IS NULL AND a = 77", row => row.B is null && row.A == 77);
        Check("c = 't \"7\"' AND d AND a > 900", row => row is { C: "t \"7\"", D: true, A: > 900 });
        Check("a < 0", _ => false);
        Check("a IS NULL OR c LIKE '%9_'", row => row.A is null || row.C![^2] == '9');

        void Check(string condition, Func<(int? A, int? B, string? C, bool? D), bool> wanted)
        {
            var expected = all.Where(wanted).ToArray();
            var found = frame.Where(condition).Agg(Count(), Sum("a"), Sum("b"), Count("d"), Max("c"), Sum("a2")).Collect()[0];
            object?[] values = [(long)expected.Length, Total(expected.Select(row => row.A)), Total(expected.Select(row => row.B)), (long)expected.Length, expected.Max(row => row.C), Total(expected.Select(row => row.A))];
            Assert.True(values.SequenceEqual(Enumerable.Range(0, 6).Select(i => found[i])), $"seed {seed}, {condition}: {string.Join(", ", values)} and not {found}");
        }

        static long? Total(IEnumerable<int?> values) => values.Any(value => value is not null) ? values.Sum(value => (long?)value) : null;
    }

    [Fact]
    public void Folders_and_compressed_files_are_read_each_with_its_header()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "1.csv"), "a,b\n1,x\n");
        using (var zipped = new GZipStream(File.Create(Path.Combine(_folder.Path, "2.csv.gz")), CompressionLevel.Fastest)) zipped.Write("a,b\n2,y\n"u8);
        var frame = rig.Context.Read.Csv(_folder.Path, new() { HasHeader = true, SplitBytes = 2 });
        Assert.Equal("[1, x] [2, y]", PeopleContext.Sorted(frame));
        Assert.Equal(2, frame.Count());
        Assert.Equal("[1, x]", PeopleContext.Text(rig.Context.Sql("SELECT * FROM csv.`" + _folder.Path + "/1.csv` LIMIT 2 OFFSET 1")));
    }

    [Fact]
    public void A_file_without_records_has_no_columns_to_see()
    {
        Assert.Throws<QueryException>(() => Read("\n\n"));
        Assert.True(Read("", new() { Schema = new Schema(new Field("a", DataType.Int)) }).IsEmpty());
        Assert.True(Read("a,b\n", new() { HasHeader = true }).IsEmpty());
        Assert.Throws<InputException>(() => rig.Context.Read.Csv(Path.Combine(_folder.Path, "nothing.csv")));
    }

    [Theory]
    [InlineData(1, '"', true)]
    [InlineData(2, '"', true)]
    [InlineData(3, '\\', true)]
    [InlineData(4, '"', false)]
    public void However_a_file_is_cut_each_record_is_read_once(int seed, char escape, bool isMultiLine)
    {
        var random = new Random(seed);
        var rows = Enumerable.Range(0, 150).Select(i => new[] { $"{i}", Word(random), Word(random) }).ToArray();
        var text = string.Concat(rows.Select(row => string.Join(',', row.Select(each => Written(each, escape, random))) + (random.Next(4) == 0 ? "\r\n" : "\n")));
        var schema = new Schema(new Field("n", DataType.Int), new Field("a", DataType.String), new Field("b", DataType.String));
        var options = new CsvOptions { Schema = schema, Escape = escape, MultiLine = isMultiLine };
        var expected = rows.Select(row => $"[{row[0]}, {row[1]}, {row[2]}]").ToArray();
        foreach (var splitBytes in new[] { 1L << 20, 1000, 117, 31 })
        {
            var frame = Read(text, options with { SplitBytes = splitBytes });
            var read = frame.Collect().Select(row => row.ToString()).ToArray();
            Assert.True(expected.SequenceEqual(read), $"seed {seed}, parts of {splitBytes} bytes: {read.Length} records, first difference: {expected.Zip(read).FirstOrDefault(pair => pair.First != pair.Second)}");
        }

        string Word(Random from) => string.Concat(Enumerable.Range(0, 1 + from.Next(from.Next(10) == 0 ? 200 : 12)).Select(_ => isMultiLine ? "ab,\"\n'\r\\é"[from.Next(9)] : "ab,'é"[from.Next(5)])).Trim('\r');
    }

    [Fact]
    public void A_file_larger_than_a_buffer_is_read_whole()
    {
        var text = new StringBuilder("id,text\n");
        for (var i = 0; i < 60_000; i++) text.Append(i).Append(",\"").Append('x', i % 90).Append(i % 1000 == 0 ? "\"\"\n" : "").Append("\"\n");
        text.Append("60000,").Append('y', 3_000_000).Append('\n');
        var frame = Read(text.ToString(), new() { HasHeader = true, SplitBytes = 700_000 });
        var row = frame.Agg(Count(), Sum("id"), CountDistinct("id"), Max(Call("octet_length", Col("text")))).Collect()[0];
        Assert.Equal([60_001L, 60_000L * 60_001 / 2, 60_001L, 3_000_000], row);
    }

    private static string Written(string value, char escape, Random random)
    {
        if (value.Length > 0 && value.AsSpan().IndexOfAny(",\"\n\r\\") < 0 && random.Next(3) > 0) return value;
        var text = escape == '\\' ? value.Replace("\\", "\\\\", StringComparison.Ordinal) : value;
        return $"\"{text.Replace("\"", escape + "\"", StringComparison.Ordinal)}\"";
    }

    private DataFrame Read(string text, CsvOptions? options = null)
    {
        var path = Path.Combine(_folder.Path, $"{Guid.NewGuid():N}.csv");
        File.WriteAllText(path, text);
        return rig.Context.Read.Csv(path, options);
    }
}
