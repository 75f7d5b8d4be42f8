using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Writing;
using Dataflow.Tasks;

namespace Dataflow.MLlib.Sources;

/// <summary>Writes LIBSVM files: label, query if there is one, and the elements that are not zero with positions from 1.</summary>
internal sealed class LibSvmFormat : BatchFormat
{
    public override string Extension => ".libsvm";

    public override void Check(Schema schema)
    {
        if (schema[0].Type.Kind == TypeKind.Double && schema[1].Type.Kind == TypeKind.Vector && (schema.Count == 2 || schema is [_, _, { Type.Kind: TypeKind.BigInt }]))
            return;
        throw new QueryException("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
            $"LIBSVM files hold a label, a vector and a query number, and these columns are ({schema}).");
    }

    public override BatchFileWriter Open(Stream output, Schema schema, TaskContext context) => new Writer(new Utf8Output(output), schema);

    private sealed unsafe class Writer(Utf8Output output, Schema schema) : BatchFileWriter
    {
        public override void Write(ColumnBatch batch)
        {
            foreach (var row in batch.Selection)
            {
                for (var i = 0; i < batch.Columns.Length; i++)
                {
                    if (batch.Columns[i].IsNull(row))
                        throw new QueryException("INVALID_VALUE",
                            $"Column '{schema[i].Name}' holds null, which LIBSVM files have no form for. Fill it or filter such rows first.");
                }
                Add(batch.Columns[0].Value<double>(row));
                if (batch.Columns.Length == 3)
                {
                    output.Add(" qid:"u8);
                    output.Add(batch.Columns[2].Value<long>(row));
                }
                AddVector(new VectorView(StringView.BytesOf((StringView*)batch.Columns[1].ValueAt(row))));
                output.Add((byte)'\n');
            }
        }

        public override void Complete() => output.Flush();

        private void AddVector(VectorView vector)
        {
            for (var i = 0; i < vector.Stored; i++)
            {
                var value = vector.StoredAt(i);
                if (value == 0) continue;
                output.Add((byte)' ');
                output.Add(vector.PlaceAt(i) + 1L);
                output.Add((byte)':');
                Add(value);
            }
        }

        private void Add(double value)
        {
            if (!double.IsFinite(value)) output.Add(value.ToString(CultureInfo.InvariantCulture));
            else if (Utf8Formatter.TryFormat(value, output.Room(40), out var written)) output.Advance(written);
            else output.Add(Encoding.UTF8.GetBytes(value.ToString("R", CultureInfo.InvariantCulture)));
        }
    }
}
