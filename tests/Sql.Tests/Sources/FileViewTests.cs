using Dataflow.Sql.Tests.Frames;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Sources;

/// <summary>CREATE TEMP VIEW ... USING.</summary>
public sealed class FileViewTests(PeopleContext rig) : IClassFixture<PeopleContext>, IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_view_of_csv_files_takes_options_whatever_their_case()
    {
        var path = Write("a.csv", "k;t\n1;x\n-;y\n");
        Run($"CREATE TEMP VIEW found USING csv OPTIONS (path '{path}', HEADER 'true', delimiter ';', mode 'FAILFAST', inferSchema true, nullValue = '-')");
        Assert.Equal("[1, x] [NULL, y]", Rows("SELECT * FROM found ORDER BY t"));
        Assert.True(rig.Context.Sql("SELECT k FROM found").Schema[0].Type.IsInteger);
        Run($"CREATE OR REPLACE TEMPORARY VIEW found USING CSV OPTIONS ('path' '{path}', 'sep' ';')");
        Assert.Equal("[-, y] [1, x] [k, t]", Rows("SELECT _c0, _c1 FROM found ORDER BY _c0"));
        Assert.Equal("string", rig.Context.Sql("SELECT _c0 FROM found").Schema[0].Type.SqlName);
    }

    [Fact]
    public void Columns_may_be_given_with_types()
    {
        var path = Write("b.csv", "1,2024-01-31\nx,2024-02-29\n");
        Run($"CREATE TEMP VIEW typed (k INT, d DATE) USING csv OPTIONS (path '{path}')");
        Assert.Equal("[1, 2024-01-31] [NULL, 2024-02-29]", Rows("SELECT k, d FROM typed ORDER BY d"));
        Run($"CREATE OR REPLACE TEMP VIEW typed (k INT, d DATE) USING csv OPTIONS (path '{path}', mode 'dropMalformed')");
        Assert.Equal("[1, 2024-01-31]", Rows("SELECT k, d FROM typed ORDER BY d"));
    }

    [Fact]
    public void Other_formats_have_views_too()
    {
        Run($"CREATE TEMP VIEW objects USING json OPTIONS (path '{Write("a.json", "{\"a\":1}\n{\"a\":2}\n")}')");
        Assert.Equal("[1] [2]", Rows("SELECT a FROM objects ORDER BY a"));
        Run($"CREATE TEMP VIEW lines USING text OPTIONS (path '{Write("a.txt", "one\ntwo\n")}')");
        Assert.Equal("[one] [two]", Rows("SELECT * FROM lines ORDER BY value"));
        var parquet = Path.Combine(_folder.Path, "numbers");
        rig.Context.Sql("SELECT id FROM range(3)").Write.Parquet(parquet);
        Run($"CREATE TEMP VIEW numbers USING parquet OPTIONS (path '{parquet}')");
        Assert.Equal("[0] [1] [2]", Rows("SELECT id FROM numbers ORDER BY id"));
    }

    [Theory]
    [InlineData("csv OPTIONS (path 'x', haeder 'true')", "INVALID_OPTIONS", "Did you mean 'header'?")]
    [InlineData("csv OPTIONS (path 'x', header 'yes')", "INVALID_OPTIONS", "true or false")]
    [InlineData("csv OPTIONS (path 'x', sep ';', delimiter ',')", "INVALID_OPTIONS", "given twice")]
    [InlineData("csv OPTIONS (path 'x', delimiter '||')", "INVALID_OPTIONS", "one character")]
    [InlineData("csv OPTIONS (path 'x', delimiter '\"')", "INVALID_OPTIONS", "different characters")]
    [InlineData("json OPTIONS (path 'x', mode 'loose')", "INVALID_OPTIONS", "FAILFAST")]
    [InlineData("csv", "PATH_NOT_FOUND", "OPTIONS (path")]
    [InlineData("cvs OPTIONS (path 'x')", "DATA_SOURCE_NOT_FOUND", "parquet, csv, json and text")]
    public void Wrong_options_say_what_would_be_right(string files, string errorClass, string part)
    {
        var error = Assert.Throws<QueryException>(() => Run("CREATE TEMP VIEW wrong USING " + files));
        Assert.Equal(errorClass, error.ErrorClass);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    private void Run(string statement) => rig.Context.Sql(statement);

    private string Rows(string query) => string.Join(' ', rig.Context.Sql(query).Collect().Select(row => row.ToString()));
}
