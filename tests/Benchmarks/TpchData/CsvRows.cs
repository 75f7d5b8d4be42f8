using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Dataflow.Sql;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;

namespace Dataflow.Benchmarks.TpchData;

/// <summary>Rows of a batch as lines of CSV.</summary>
internal sealed unsafe class CsvRows
{
    private readonly ArrayBufferWriter<byte> _text = new(1 << 20);
    private readonly Dictionary<int, byte[]> _days = [];

    /// <summary>The lines, valid until the next call.</summary>
    public ReadOnlySpan<byte> Of(ColumnBatch batch)
    {
        _text.ResetWrittenCount();
        for (var row = 0; row < batch.Rows; row++)
        {
            for (var i = 0; i < batch.Columns.Length; i++)
            {
                if (i > 0) _text.Write(","u8);
                Add(batch.Columns[i], row);
            }
            _text.Write("\n"u8);
        }
        return _text.WrittenSpan;
    }

    private void Add(ColumnVector column, int row)
    {
        switch (column.Type.Kind)
        {
            case TypeKind.BigInt:
                Number(column.Value<long>(row));
                break;
            case TypeKind.Int:
                Number(column.Value<int>(row));
                break;
            case TypeKind.Decimal:
                Money(column.Value<long>(row));
                break;
            case TypeKind.Date:
                var day = column.Value<int>(row);
                if (!_days.TryGetValue(day, out var text)) _days[day] = text = Encoding.ASCII.GetBytes(LiteralText.Date(day));
                _text.Write(text);
                break;
            default:
                Text(StringView.BytesOf((StringView*)column.ValueAt(row)));
                break;
        }
    }

    private void Number(long value)
    {
        Utf8Formatter.TryFormat(value, _text.GetSpan(20), out var written);
        _text.Advance(written);
    }

    private void Money(long cents)
    {
        if (cents < 0) _text.Write("-"u8);
        var (whole, rest) = Math.DivRem(Math.Abs(cents), 100);
        Number(whole);
        _text.Write([(byte)'.', (byte)('0' + (rest / 10)), (byte)('0' + (rest % 10))]);
    }

    private void Text(ReadOnlySpan<byte> text)
    {
        if (text.IndexOfAny(","u8[0], "\""u8[0], "\n"u8[0]) < 0)
        {
            _text.Write(text);
            return;
        }
        _text.Write("\""u8);
        foreach (var one in text)
        {
            if (one == '"') _text.Write("\""u8);
            _text.Write([one]);
        }
        _text.Write("\""u8);
    }
}
