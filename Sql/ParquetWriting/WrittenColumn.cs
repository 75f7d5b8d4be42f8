using Dataflow.Sql.ParquetMetadata;

namespace Dataflow.Sql.ParquetWriting;

/// <summary>How a column of ours is stored in a file. Decimals take 4, 8 or as many bytes as their digits need, as Spark writes them.</summary>
/// <param name="Field">Name, type, and whether there are definition levels.</param>
/// <param name="Stored">How values are stored.</param>
/// <param name="Width">Bytes of a stored value; 0 for bytes of any length, 1 for booleans while they wait to be packed.</param>
internal sealed record WrittenColumn(Field Field, StoredKind Stored, int Width)
{
    /// <summary>How a field is stored.</summary>
    /// <exception cref="QueryException">There is no way yet.</exception>
    public static WrittenColumn Of(Field field)
    {
        var (stored, width) = field.Type switch
        {
            DecimalType { Precision: <= 9 } => (StoredKind.Int32, 4),
            DecimalType { Precision: <= 18 } => (StoredKind.Int64, 8),
            DecimalType wide => (StoredKind.FixedBytes, BytesOf(wide.Precision)),
            _ => field.Type.Kind switch
            {
                TypeKind.Null => (StoredKind.Int32, 4),
                TypeKind.Boolean => (StoredKind.Boolean, 1),
                TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int or TypeKind.Date => (StoredKind.Int32, 4),
                TypeKind.BigInt or TypeKind.Timestamp or TypeKind.TimestampNtz => (StoredKind.Int64, 8),
                TypeKind.Float => (StoredKind.Float, 4),
                TypeKind.Double => (StoredKind.Double, 8),
                TypeKind.String or TypeKind.Binary => (StoredKind.Bytes, 0),

                // Parquet's own interval has months, days and milliseconds at once, and stored as a number it would come back as one.
                TypeKind.YearMonthInterval or TypeKind.DayTimeInterval => throw new QueryException("UNSUPPORTED_FEATURE.PARQUET_COLUMN",
                    $"Column '{field.Name}' is {field.Type}, which Parquet files and tables can't keep. Cast it to string, or write the two times that it lies between."),
                _ => throw new QueryException("UNSUPPORTED_FEATURE.PARQUET_COLUMN", $"Column '{field.Name}' is {field.Type}, which can't be written to Parquet yet. Leave it out, or cast it."),
            },
        };
        return new WrittenColumn(field, stored, width);
    }

    /// <summary>Writes the column's node of the schema.</summary>
    public void WriteNode(ThriftWriter to)
    {
        to.BeginElement();
        to.Int32(1, (int)Stored);
        if (Stored == StoredKind.FixedBytes) to.Int32(2, Width);
        to.Int32(3, (int)(Field.Nullable ? Repetition.Optional : Repetition.Required));
        to.Text(4, Field.Name);
        if (Converted is { } converted) to.Int32(6, (int)converted);
        if (Field.Type is DecimalType type)
        {
            to.Int32(7, type.Scale);
            to.Int32(8, type.Precision);
        }
        WriteLogical(to);
        to.End();
    }

    private ConvertedKind? Converted => Field.Type.Kind switch
    {
        TypeKind.TinyInt => ConvertedKind.Int8,
        TypeKind.SmallInt => ConvertedKind.Int16,
        TypeKind.String => ConvertedKind.Utf8,
        TypeKind.Date => ConvertedKind.Date,
        TypeKind.Timestamp => ConvertedKind.TimestampMicros,
        TypeKind.Decimal => ConvertedKind.Decimal,
        _ => null,
    };

    private void WriteLogical(ThriftWriter to)
    {
        switch (Field.Type.Kind)
        {
            case TypeKind.String:
                to.Begin(10);
                to.Empty((int)LogicalKind.String);
                to.End();
                break;
            case TypeKind.Date:
                to.Begin(10);
                to.Empty((int)LogicalKind.Date);
                to.End();
                break;
            case TypeKind.Null:
                to.Begin(10);
                to.Empty((int)LogicalKind.Unknown);
                to.End();
                break;
            case TypeKind.TinyInt or TypeKind.SmallInt:
                to.Begin(10);
                to.Begin((int)LogicalKind.Integer);
                to.Byte(1, (sbyte)(Field.Type.Kind == TypeKind.TinyInt ? 8 : 16));
                to.Flag(2, true);
                to.End();
                to.End();
                break;
            case TypeKind.Timestamp or TypeKind.TimestampNtz:
                to.Begin(10);
                to.Begin((int)LogicalKind.Timestamp);
                to.Flag(1, Field.Type.Kind == TypeKind.Timestamp);
                to.Begin(2);
                to.Empty((int)TimeUnit.Micros);
                to.End();
                to.End();
                to.End();
                break;
            case TypeKind.Decimal:
                var type = (DecimalType)Field.Type;
                to.Begin(10);
                to.Begin((int)LogicalKind.Decimal);
                to.Int32(1, type.Scale);
                to.Int32(2, type.Precision);
                to.End();
                to.End();
                break;
        }
    }

    // The fewest bytes that hold so many digits and a sign.
    private static int BytesOf(int precision)
    {
        var largest = Int128.One;
        for (var i = 0; i < precision; i++) largest *= 10;
        var bytes = 9;
        while (bytes < 16 && largest > (Int128.One << ((8 * bytes) - 1)) - 1) bytes++;
        return bytes;
    }
}
