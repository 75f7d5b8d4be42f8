using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Csv;
using Dataflow.Tasks;

namespace Dataflow.Sql.Writing;

/// <summary>CSV files (RFC 4180, with other signs where asked for).</summary>
internal sealed class CsvFormat(CsvOptions options) : BatchFormat
{
    private readonly CsvDialect _dialect = CsvDialect.Of(options);

    public override string Extension => ".csv";

    public override void Check(Schema schema) => FieldText.Check(schema, "CSV");

    public override BatchFileWriter Open(Stream output, Schema schema, TaskContext context) => new Writer(new Utf8Output(output), _dialect, options, schema);

    private sealed unsafe class Writer : BatchFileWriter
    {
        private readonly Utf8Output _output;
        private readonly CsvDialect _dialect;
        private readonly FieldText _text;
        private readonly System.Buffers.SearchValues<byte> _special;

        public Writer(Utf8Output output, CsvDialect dialect, CsvOptions options, Schema schema)
        {
            _output = output;
            _dialect = dialect;
            _text = new FieldText(options.DateFormat, options.TimestampFormat);
            _special = System.Buffers.SearchValues.Create([dialect.Delimiter, (byte)'\n', (byte)'\r', .. dialect.Quote < 0 ? [] : new[] { (byte)dialect.Quote, (byte)dialect.Escape }]);
            if (!options.HasHeader) return;
            for (var i = 0; i < schema.Count; i++)
            {
                if (i > 0) output.Add(dialect.Delimiter);
                Add(Encoding.UTF8.GetBytes(schema[i].Name));
            }
            output.Add((byte)'\n');
        }

        public override void Write(ColumnBatch batch)
        {
            foreach (var row in batch.Selection)
            {
                for (var i = 0; i < batch.Columns.Length; i++)
                {
                    if (i > 0) _output.Add(_dialect.Delimiter);
                    var vector = batch.Columns[i];
                    if (vector.IsNull(row)) _output.Add(_dialect.NullValue);
                    else if (vector.Type.Physical == PhysicalType.View) Add(StringView.BytesOf((StringView*)vector.ValueAt(row)));
                    else _text.Add(vector, row, _output);
                }
                _output.Add((byte)'\n');
            }
        }

        public override void Complete() => _output.Flush();

        private void Add(ReadOnlySpan<byte> text)
        {
            var needsQuotes = text.ContainsAny(_special) || text.SequenceEqual(_dialect.NullValue) || (text.Length > 0 && text[0] == _dialect.Comment);
            if (!needsQuotes)
            {
                _output.Add(text);
                return;
            }
            if (_dialect.Quote < 0)
                throw new QueryException("INVALID_CSV_VALUE", $"The text '{Encoding.UTF8.GetString(text)}' can't be written without quotes, which the options leave out. Give a Quote, or another Delimiter.");
            _output.Add((byte)_dialect.Quote);
            foreach (var each in text)
            {
                if (each == _dialect.Quote || each == _dialect.Escape) _output.Add((byte)_dialect.Escape);
                _output.Add(each);
            }
            _output.Add((byte)_dialect.Quote);
        }
    }
}
