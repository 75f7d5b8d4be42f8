using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Writing;

/// <summary>Tables that last: made, added to, replaced and dropped, by SQL and by verbs.</summary>
public sealed class TableTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly DataflowContext _context;

    public TableTests() => _context = Context();

    private string Folder => Path.Combine(_folder.Path, "tables");

    public void Dispose()
    {
        _context.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("INTERVAL 1 DAY", "interval day to second")]
    [InlineData("INTERVAL 1 MONTH", "interval year to month")]
    public void Intervals_are_refused_by_tables_and_Parquet_files(string value, string type)
    {
        var says = $"Column 'span' is {type}, which Parquet files and tables can't keep. Cast it to string";
        Assert.Contains(says, Assert.Throws<QueryException>(() => Run($"CREATE TABLE spans AS SELECT {value} AS span")).Message, StringComparison.Ordinal);
        Assert.Contains(says, Assert.Throws<QueryException>(() => _context.Sql("SELECT " + value + " AS span").Write.Parquet(Path.Combine(_folder.Path, "spans"))).Message, StringComparison.Ordinal);
        Assert.Empty(_context.Warehouse.Names);
        Run($"CREATE TABLE spans AS SELECT CAST({value} AS STRING) AS span");
        Run($"INSERT INTO spans SELECT {value}");
        Assert.Equal(2, _context.Table("spans").Count());
    }

    [Fact]
    public void Statements_make_fill_list_and_drop_tables()
    {
        Run("CREATE TABLE Towns AS SELECT * FROM VALUES ('London', 1L), ('Paris', 2L) AS t(name, n)");
        Run("INSERT INTO towns VALUES ('Rome', 3)");
        Run("INSERT INTO TABLE default.towns (n) SELECT 4");
        Run("INSERT INTO towns SELECT name, n FROM towns WHERE n = 1");
        Assert.Equal("[London, 1] [London, 1] [NULL, 4] [Paris, 2] [Rome, 3]", Rows("SELECT * FROM TOWNS"));
        Run("INSERT OVERWRITE towns SELECT name, n + 10 FROM towns WHERE n < 3 GROUP BY 1, 2");
        Assert.Equal("[London, 11] [Paris, 12]", Rows("SELECT * FROM default.towns"));
        Run("CREATE TABLE IF NOT EXISTS towns AS SELECT 1 AS other");
        Run("CREATE TABLE empty (a INT, b DECIMAL(10, 2) NOT NULL) USING parquet");
        Run("CREATE TEMP VIEW seen AS SELECT * FROM towns");
        Assert.Equal("[empty] [seen] [Towns]", Text(_context.Sql("SHOW TABLES")));
        Assert.Equal("[seen]", Rows("SHOW VIEWS"));
        Assert.Equal("", Rows("SELECT * FROM empty"));
        Assert.Equal("[a, int, true] [b, decimal(10,2), true]", Text(_context.Sql("DESCRIBE empty").WithColumn("nullable", Lit("true"))));
        Run("CREATE OR REPLACE TABLE empty AS SELECT 7 AS seven");
        Assert.Equal("[7]", Rows("SELECT seven FROM empty"));
        Run("DROP TABLE towns");
        Run("DROP TABLE IF EXISTS towns");
        Run("DROP TABLE empty");
        Assert.Empty(Directory.GetFileSystemEntries(Folder));
    }

    [Fact]
    public void Verbs_have_the_modes_of_files_and_another_context_reads_what_they_wrote()
    {
        Assert.False(Directory.Exists(Folder));
        var frame = _context.Range(1, 4).ToDataFrame().Select(Col("value").As("n"), (Col("value") * 2).As("twice"));
        frame.Write.SaveAsTable("numbers");
        Assert.Contains("There is a table 'NUMBERS' already", Assert.Throws<QueryException>(() => frame.Write.SaveAsTable("NUMBERS")).Message, StringComparison.Ordinal);
        frame.Write.Mode(SaveMode.Ignore).SaveAsTable("numbers");
        frame.Select(Col("twice").Cast("int").As("Twice"), (Col("n") + 10).As("N")).Write.Mode(SaveMode.Append).SaveAsTable("numbers");
        using (var other = Context()) Assert.Equal("[1, 2] [11, 2] [12, 4] [13, 6] [2, 4] [3, 6]", Sorted(other.Table("numbers")));
        var replaced = _context.Table("numbers");
        replaced.Where("n < 3").Write.Mode(SaveMode.Overwrite).RowsPerFile(1).SaveAsTable("numbers");
        Assert.Equal("[1, 2] [2, 4]", Sorted(_context.Table("numbers")));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(Folder, "numbers"), "*.parquet").Length);
        Assert.Contains("is gone since the query was planned", Assert.ThrowsAny<Exception>(() => replaced.Collect()).Message, StringComparison.Ordinal);
        frame.Write.Mode(SaveMode.Append).SaveAsTable("made_by_append");
        Assert.Equal(3, _context.Table("made_by_append").Count());
        Assert.Equal(["made_by_append", "numbers"], _context.Warehouse.Names);
        Assert.True(_context.Warehouse.Drop("Made_By_Append"));
        Assert.False(_context.Warehouse.Drop("made_by_append"));
    }

    [Fact]
    public void Types_come_back_as_they_were()
    {
        const string query = """
            SELECT * FROM VALUES (true, 1Y, 2S, 3, 4L, 0.5F, 1.5D, CAST(1.25 AS DECIMAL(30, 2)), 'text', X'0aff', DATE '2024-02-29', TIMESTAMP '2024-02-29 01:02:03.5', TIMESTAMP_NTZ '2024-02-29 01:02:03'),
                (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS t(a, b, c, d, e, f, g, h, i, j, k, l, m)
            """;
        Run($"CREATE TABLE everything AS {query}");
        Run($"INSERT INTO everything {query}");
        Assert.Equal(Text(_context.Sql($"DESCRIBE {query}")), Text(_context.Sql("DESCRIBE everything")));
        Assert.Equal(Rows($"{query} UNION ALL {query}"), Rows("SELECT * FROM everything"));
    }

    [Fact]
    public void A_view_stands_before_a_table_of_its_name_and_goes_after_it()
    {
        Run("CREATE TABLE t AS SELECT 'table' AS v");
        _context.Sql("SELECT 'view' AS v").CreateTempView("T");
        Assert.Equal("[view]", Rows("SELECT * FROM t"));
        Run("INSERT INTO t SELECT 'more'");
        Run("DROP VIEW t");
        Assert.Equal("[more] [table]", Rows("SELECT * FROM t"));
        _context.Sql("SELECT 'view' AS v").CreateTempView("t");
        Run("DROP TABLE t");
        Assert.Equal("[view]", Rows("SELECT * FROM t"));
        Run("DROP TABLE t");
        Assert.Equal("", Rows("SHOW TABLES"));
    }

    [Fact]
    public void The_folder_is_a_setting_and_a_cached_table_is_not_what_comes_later()
    {
        Run($"SET spark.sql.warehouse.dir = {Path.Combine(_folder.Path, "elsewhere")}");
        Run("CREATE TABLE t AS SELECT 1 AS n");
        Assert.True(Directory.Exists(Path.Combine(_folder.Path, "elsewhere", "t")));
        var kept = _context.Table("t").Cache();
        Assert.Equal(1, kept.Count());
        Run("INSERT INTO t SELECT 2");
        Assert.Equal(2, _context.Table("t").Count());
        Assert.Equal(1, kept.Count());
    }

    [Theory]
    [InlineData("CREATE TABLE t AS SELECT 1 AS n", "TABLE_OR_VIEW_ALREADY_EXISTS", "There is a table 't' already")]
    [InlineData("CREATE TABLE t.u AS SELECT 1 AS n", "PARSE_SYNTAX_ERROR", "there is one schema, 'default'")]
    [InlineData("CREATE TABLE u", "PARSE_SYNTAX_ERROR", "AS with a query, or columns in parentheses")]
    [InlineData("CREATE TABLE u (a INT) AS SELECT 1", "PARSE_SYNTAX_ERROR", "The columns of CREATE TABLE AS are those of its query")]
    [InlineData("CREATE TABLE u USING csv AS SELECT 1", "PARSE_SYNTAX_ERROR", "Tables are Parquet files")]
    [InlineData("CREATE TABLE `a-b` AS SELECT 1 AS n", "INVALID_SCHEMA_OR_RELATION_NAME", "names are letters, digits and '_'")]
    [InlineData("INSERT INTO tt SELECT 1", "TABLE_OR_VIEW_NOT_FOUND", "There is no table 'tt'. There are: t. Did you mean 't'? CREATE TABLE name AS query makes one.")]
    [InlineData("INSERT INTO v SELECT 1", "TABLE_OR_VIEW_NOT_FOUND", "'v' is a view, which has no rows of its own.")]
    [InlineData("INSERT INTO t SELECT 1", "INSERT_COLUMN_ARITY_MISMATCH", "The rows have 1 columns (1), and 2 of the table 't' are to be filled: n, name")]
    [InlineData("INSERT INTO t (n, m) SELECT 1, 2", "UNRESOLVED_COLUMN", "The table 't' has no column 'm'. Did you mean 'n'?")]
    [InlineData("INSERT INTO t (n, N) SELECT 1, 2", "COLUMN_ALREADY_EXISTS", "names a column twice")]
    [InlineData("INSERT INTO t SELECT 'one' AS x, 'two'", "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "'x' is string, and the column 'n' of the table 't' is int. Write CAST(x AS INT), if that is meant.")]
    [InlineData("INSERT INTO t SELECT 3000000000, 'two'", "CAST_OVERFLOW", "3000000000")]
    [InlineData("DROP TABLE u", "TABLE_OR_VIEW_NOT_FOUND", "There is no table 'u'. There are: t.")]
    [InlineData("DROP VIEW t", "EXPECT_VIEW_NOT_TABLE", "DROP TABLE t")]
    [InlineData("SELECT * FROM u", "TABLE_OR_VIEW_NOT_FOUND", "There are: t, v.")]
    [InlineData("SELECT * FROM broken", "TABLE_WITHOUT_FILES", "has no files")]
    public void What_is_wrong_is_said_and_leaves_the_table_as_it_was(string statement, string errorClass, string message)
    {
        Run("CREATE TABLE t AS SELECT 1 AS n, 'one' AS name");
        Run("CREATE TEMP VIEW v AS SELECT 1");
        if (statement.Contains("broken", StringComparison.Ordinal)) Directory.CreateDirectory(Path.Combine(Folder, "broken"));
        var error = Assert.Throws<QueryException>(() => Run(statement));
        Assert.Equal(errorClass, error.ErrorClass);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal("[1, one]", Rows("SELECT * FROM t"));
        Assert.Equal(["t"], _context.Warehouse.Names.Except(["broken"]));
    }

    [Fact]
    public void Verbs_say_what_is_wrong()
    {
        Run("CREATE TABLE t AS SELECT 1 AS n, 'one' AS name");
        var append = _context.Sql("SELECT 1 AS n, 2 AS m").Write.Mode(SaveMode.Append);
        Assert.Contains("The rows lack name. The table does not have m.", Assert.Throws<QueryException>(() => append.SaveAsTable("t")).Message, StringComparison.Ordinal);
        Assert.Contains("tables have no partitions", Assert.Throws<QueryException>(() => append.PartitionBy("n").SaveAsTable("u")).Message, StringComparison.Ordinal);
        var missing = Assert.Throws<QueryException>(() => _context.Table("nothing"));
        Assert.Contains($"There is no table or view 'nothing'. There are: t. Tables are looked for in '{Folder}'", missing.Message, StringComparison.Ordinal);
    }

    private DataflowContext Context()
    {
        var context = DataflowContext.Local(1);
        context.Warehouse.Folder = Folder;
        return context;
    }

    private void Run(string statement) => _context.Sql(statement).Collect();

    private string Rows(string query) => Sorted(_context.Sql(query));

    private static string Text(DataFrame frame) => string.Join(' ', frame.Collect());

    private static string Sorted(DataFrame frame) => string.Join(' ', frame.Collect().Select(row => row.ToString()).Order(StringComparer.Ordinal));
}
