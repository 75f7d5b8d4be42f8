using Dataflow.Sql.Columns;
using Dataflow.Sql.Parquet;
using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

/// <summary>Files of one table that are not quite alike.</summary>
public sealed class DifferentFilesTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_column_that_a_file_lacks_is_null_there_and_one_that_only_it_has_is_not_seen()
    {
        Write("a", new Field("id", DataType.BigInt, false), new Field("price", DataType.Decimal(9, 2)));
        Write("b", new Field("more", DataType.Int), new Field("ID", DataType.BigInt, false));
        var table = ParquetTable.Open(_folder.Path);
        Assert.Equal("id bigint not null, price decimal(9,2)", table.Schema.ToString());
        Assert.Equal("0,0.00\n1,0.01\n2,0.02\n0,null\n1,null\n2,null\n", TableRows.Joined(TableRows.Of(table)));
        Assert.Equal(3, table.Statistics.Columns[1].Nulls);
        Assert.Single(table.Scan(new ScanRequest([0], [new ScanFilter(1, ScanOperator.IsNotNull, [])])).Splits);
    }

    [Fact]
    public void Narrower_numbers_are_read_as_those_of_the_first_file()
    {
        Write("a", new Field("n", DataType.BigInt), new Field("d", DataType.Decimal(25, 2)), new Field("f", DataType.Double));
        Write("b", new Field("n", DataType.SmallInt), new Field("d", DataType.Decimal(12, 2)), new Field("f", DataType.Float));
        var table = ParquetTable.Open(_folder.Path);
        Assert.Equal("0,0.00,0\n1,0.01,1\n2,0.02,2\n0,0.00,0\n1,0.01,1\n2,0.02,2\n", TableRows.Joined(TableRows.Of(table)));
        Assert.Equal(new ValueBounds(0, 2), table.Statistics.Columns[0].Bounds);
    }

    [Fact]
    public void Types_that_have_nothing_in_common_are_an_error_that_names_both_files()
    {
        Write("a", new Field("n", DataType.Int));
        Write("b", new Field("n", DataType.Date));
        var error = Assert.Throws<QueryException>(() => ParquetTable.Open(_folder.Path));
        Assert.Contains("Column 'n' is int in '", error.Message);
        Assert.Contains("and date in '", error.Message);
    }

    // Three rows: 0, 1, 2 in every column.
    private unsafe void Write(string name, params Field[] fields)
    {
        using var task = new LoneTask();
        var arena = new TaskArena(task.Context, "test");
        var batch = new ColumnBatch(Array.ConvertAll(fields, field =>
        {
            var vector = new FlatVector(arena, field.Type);
            for (var i = 0; i < 3; i++)
            {
                switch (field.Type.Physical)
                {
                    case PhysicalType.Int16: ((short*)vector.Data)[i] = (short)i; break;
                    case PhysicalType.Int32: ((int*)vector.Data)[i] = i; break;
                    case PhysicalType.Int64: ((long*)vector.Data)[i] = i; break;
                    case PhysicalType.Int128: ((Int128*)vector.Data)[i] = i; break;
                    case PhysicalType.Float32: ((float*)vector.Data)[i] = i; break;
                    default: ((double*)vector.Data)[i] = i; break;
                }
            }
            return vector.Set(3, hasNulls: false);
        }));
        batch.Set(3);
        using var file = File.Create(Path.Combine(_folder.Path, $"{name}.parquet"));
        using var writer = new ParquetWriter(file, new Schema(fields), task.Context);
        writer.Write(batch);
        writer.Complete();
    }
}
