using Dataflow.Sql.Columns;
using Dataflow.Sql.Parquet;
using Dataflow.Sql.ParquetWriting;
using Dataflow.Tasks;

namespace Dataflow.Sql.Writing;

/// <summary>Parquet files.</summary>
internal sealed class ParquetFormat(ParquetWriteOptions? options) : BatchFormat
{
    public override string Extension => ".parquet";

    public override void Check(Schema schema)
    {
        foreach (var field in schema) _ = WrittenColumn.Of(field);
    }

    public override BatchFileWriter Open(Stream output, Schema schema, TaskContext context) => new Writer(new ParquetWriter(output, schema, context, options));

    private sealed class Writer(ParquetWriter writer) : BatchFileWriter
    {
        public override void Write(ColumnBatch batch) => writer.Write(batch);

        public override void Complete() => writer.Complete();

        public override void Dispose() => writer.Dispose();
    }
}
