using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

/// <summary>Files with one byte changed, or cut short: they give rows, right or wrong ones, or an error that names the file; nothing else.</summary>
public class DamagedFileTests
{
    private static string Data => Path.Combine(RepositoryRoot.Path, "tests", "data");

    public static TheoryData<string> Files =>
    [
        "parquet/tiny-duckdb-v1", "parquet/tiny-duckdb-v2", "parquet/tiny-arrow-delta", "parquet/tiny-arrow-lz4",
    ];

    [Theory]
    [InlineData("parquet/tiny-duckdb-v1", true)]
    [InlineData("parquet/tiny-arrow-lz4", true)]
    [InlineData("parquet/tiny-duckdb-v2", false)]
    [InlineData("parquet/tiny-arrow-delta", false)]
    public void Any_byte_may_be_changed(string file, bool withFooter)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Data, file + ".parquet"));
        var end = withFooter ? bytes.Length : bytes.Length - 8 - BitConverter.ToInt32(bytes, bytes.Length - 8);
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "damaged.parquet");
        var errors = 0;
        for (var at = 0; at < end; at++)
        {
            var right = bytes[at];
            var mask = (at % 3) switch { 0 => 0xFF, 1 => 1, _ => 0x80 };
            bytes[at] = (byte)(right ^ mask);
            File.WriteAllBytes(path, bytes);
            errors += Read(path, $"byte {at} of {file} changed by {mask:X2}");
            bytes[at] = right;
        }
        Assert.True(errors > end / 8, $"Only {errors} of {end} changes were noticed.");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_may_end_anywhere(string file)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Data, file + ".parquet"));
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "short.parquet");
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes.AsSpan(0, length));
            Assert.Equal(1, Read(path, $"{file} with {length} bytes"));
        }
    }

    [Fact]
    public void An_error_names_file_column_and_row_group()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Data, "parquet", "tiny-duckdb-v2.parquet"));
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "damaged.parquet");

        // The header of the first page.
        bytes[4] = 0xFF;
        File.WriteAllBytes(path, bytes);
        var error = Assert.Throws<CorruptDataException>(() => TableRows.Of(ParquetTable.Open(path)));
        Assert.Contains(path, error.Message);
        Assert.Contains("column 'id' of row group 0", error.Message);
        Assert.Equal(path, error.Path);
    }

    [Fact]
    public void Text_that_is_no_parquet_says_so()
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "a.parquet");
        File.WriteAllText(path, "id,name\n1,one\n2,two\n");
        Assert.Contains("does not end with PAR1", Assert.Throws<CorruptDataException>(() => ParquetTable.Open(path)).Message);
    }

    // 1 if it was an error of the right kind, 0 if rows came.
    private static int Read(string path, string what)
    {
        try
        {
            var table = ParquetTable.Open(path);
            var readable = Enumerable.Range(0, table.Schema.Count).Where(field => table.Schema[field].Type.Physical < PhysicalType.List);
            TableRows.Of(table, new ScanRequest([.. readable], [new ScanFilter(0, ScanOperator.GreaterOrEqual, [new Literal(3L, DataType.BigInt)])]));
            return 0;
        }
        catch (CorruptDataException error)
        {
            Assert.True(error.Message.Contains(path, StringComparison.Ordinal), $"{what}: the file is not named: {error.Message}");
            return 1;
        }
        catch (CompressionUnavailableException)
        {
            return 1;
        }
        catch (Exception error) when (error is not Xunit.Sdk.XunitException)
        {
            Assert.Fail($"{what}: {error}");
            throw;
        }
    }
}
