using Dataflow.Sql.Columns;
using Dataflow.Tasks;

namespace Dataflow.Sql.Writing;

/// <summary>Files of text: the values of one column, a line each.</summary>
internal sealed class TextFormat : BatchFormat
{
    public override string Extension => ".txt";

    public override void Check(Schema schema)
    {
        if (schema.Count == 1 && schema[0].Type.Kind == TypeKind.String) return;
        throw new QueryException(
            "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", $"Files of text hold one column of type string beside those that name folders, and these are ({schema}). Select one, with a cast or concat_ws.");
    }

    public override BatchFileWriter Open(Stream output, Schema schema, TaskContext context) => new Lines(new Utf8Output(output));

    private sealed unsafe class Lines(Utf8Output output) : BatchFileWriter
    {
        // Null is an empty line, as Spark writes it.
        public override void Write(ColumnBatch batch)
        {
            var vector = batch.Columns[0];
            foreach (var row in batch.Selection)
            {
                if (!vector.IsNull(row)) output.Add(StringView.BytesOf((StringView*)vector.ValueAt(row)));
                output.Add((byte)'\n');
            }
        }

        public override void Complete() => output.Flush();
    }
}
