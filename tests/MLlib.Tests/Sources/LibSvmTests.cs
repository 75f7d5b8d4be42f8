using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Sources;

/// <summary>LIBSVM files.</summary>
public sealed class LibSvmTests
{
    [Fact]
    public void Lines_become_labels_and_sparse_vectors()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "t.txt");
        File.WriteAllText(path, "\uFEFF+1 1:0.5  3:-2e3 # first\r\n\n# only a remark\n-1\n2.5 qid:7\t10:nan 11:0\n0 2:1e-300");
        var rows = context.Read.LibSvm(path).Collect();
        Assert.Equal([1.0, -1, 2.5, 0], rows.Select(row => (double)row["label"]!));
        Assert.Equal(["(11,[0,2],[0.5,-2000])", "(11,[],[])", "(11,[9,10],[NaN,0])", "(11,[1],[1E-300])"], rows.Select(row => row["features"]!.ToString()));
        Assert.Equal(20, context.Read.LibSvm(path, features: 20).First().Get<Vector>("features").Size);
        Assert.Equal(4, context.Read.LibSvm(path, 11).Count());
        Assert.Equal([1.0], context.Read.LibSvm(path, 11).Where("label > 0 AND label < 2").Select("label").Collect<double>());
    }

    [Fact]
    public void What_was_written_is_read_as_it_was_in_many_parts()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "out");
        var random = new Random(5);
        var records = Enumerable.Range(0, 3000).Select(i => (label: i % 3 - 1.0, features: i % 2 == 0
            ? Vector.Sparse(1000, [i % 500, 500 + (i % 500)], [random.NextDouble(), -random.Next(1, 100)])
            : Vector.Dense([.. Enumerable.Range(0, 1000).Select(j => j % 400 == i % 400 ? random.NextDouble() * 1e10 : 0)]), qid: i / 10)).ToArray();
        context.FromRecords(records, 3).ToDataFrame("label", "features", "qid").Write.LibSvm(path, query: "qid");
        Assert.Equal(3, Directory.GetFiles(path, "*.libsvm").Length);
        var read = context.Read.LibSvm(path, queries: true).Collect();
        Assert.Equal(records.Select(record => (record.label, (long)record.qid)), read.Select(row => ((double)row["label"]!, (long)row["qid"]!)));
        Assert.Equal(records.Select(record => record.features), read.Select(row => row.Get<Vector>("features")));

        // Parts end in the middle of lines: each line is read once.
        var one = Path.Combine(folder.Path, "one.libsvm");
        File.WriteAllBytes(one, [.. Directory.GetFiles(path, "*.libsvm").Order().SelectMany(File.ReadAllBytes)]);
        var parts = context.Read.Table(MLlib.Sources.LibSvmTable.Open(one, 1000, queries: true, "UTC", splitBytes: 5_000));
        Assert.Equal(records.Select(record => (record.label, record.qid, record.features)), parts.Collect().Select(row => ((double)row["label"]!, (int)(long)row["qid"]!, row.Get<Vector>("features"))));
    }

    [Theory]
    [InlineData("x 1:2", "'x' is no label")]
    [InlineData("1 2", "'2' is no pair")]
    [InlineData("1 a:2", "'a' is no position")]
    [InlineData("1 0:2", "below 1")]
    [InlineData("1 3:1 3:2", "position 3 follows 3")]
    [InlineData("1 3:1 2:2", "position 2 follows 3")]
    [InlineData("1 3:one", "'one', the value of position 3")]
    [InlineData("1 99:1", "above the number of features, 50")]
    [InlineData("1 3:1 qid:4", "no query number")]
    [InlineData("1 3:1", "no qid")]
    public void A_malformed_line_is_an_error_that_names_file_and_line(string line, string expected)
    {
        using var context = DataflowContext.Local(1);
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "bad.txt");
        File.WriteAllText(path, $"1 qid:1 1:1\n# remark\n{line}\n1 qid:3 1:1\n");
        var error = Assert.ThrowsAny<DataflowException>(() => context.Read.LibSvm(path, 50, queries: true).Collect()).ToString();
        Assert.Contains(expected, error);
        Assert.Contains("bad.txt', line 3 (byte 21)", error);
    }

    [Fact]
    public void Missing_files_and_columns_that_do_not_fit_are_named_errors()
    {
        using var context = DataflowContext.Local(1);
        using var folder = new TempDirectory();
        Assert.Throws<InputException>(() => context.Read.LibSvm(Path.Combine(folder.Path, "none")));
        Assert.Throws<ArgumentOutOfRangeException>(() => context.Read.LibSvm(folder.Path, features: 0));
        var frame = context.FromRecords(new[] { (label: 1.0, features: "x") }).ToDataFrame("label", "features");
        Assert.Contains("LIBSVM files hold", Assert.Throws<QueryException>(() => frame.Write.LibSvm(Path.Combine(folder.Path, "out"))).Message);
        var nulls = context.FromRecords(new[] { (1.0, (Vector?)null) }).ToDataFrame("label", "features");
        Assert.Contains("holds null", Assert.ThrowsAny<DataflowException>(() => nulls.Write.LibSvm(Path.Combine(folder.Path, "out"))).ToString());
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "out")));
    }

    [Fact]
    public void Files_that_count_from_0_are_read_as_such_and_the_error_says_how()
    {
        using var folder = new TempDirectory();
        using var context = DataflowContext.Local(1);
        var path = Path.Combine(folder.Path, "zero.svm");
        File.WriteAllText(path, "1 1:2\n0 0:5 2:7\n");
        var error = Assert.Throws<QueryException>(() => context.Read.LibSvm(path, features: 3).Collect()).Message;
        Assert.Contains("line 2", error, StringComparison.Ordinal);
        Assert.Contains("firstPosition: 0", error, StringComparison.Ordinal);
        foreach (var features in new int?[] { 3, null })
        {
            var rows = context.Read.LibSvm(path, features, firstPosition: 0).Collect().Select(row => row.Get<Vector>("features").ToArray()).ToArray();
            Assert.Equal([0, 2, 0], rows[0]);
            Assert.Equal([5, 0, 7], rows[1]);
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => context.Read.LibSvm(path, firstPosition: 2));
    }
}
