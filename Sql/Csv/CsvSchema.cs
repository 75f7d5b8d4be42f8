using System.Text;
using Dataflow.Compression;
using Dataflow.Files;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Csv;

/// <summary>Finds names and types of columns by looking at the first records.</summary>
internal static unsafe class CsvSchema
{
    private const int FirstSampleBytes = 256 << 10;
    private const int MostSampleBytes = 64 << 20;

    /// <summary>The columns of the first file that has records, and whether all records of all files were looked at.</summary>
    /// <exception cref="QueryException">None has.</exception>
    public static (Schema Columns, bool IsWhole) Find(FileEntry[] files, CsvOptions options, CsvDialect dialect)
    {
        foreach (var file in files)
        {
            if (file.Length > 0 && Find(file, options, dialect) is { } found) return (found.Columns, found.IsWhole && files.Length == 1);
        }
        throw new QueryException("UNABLE_TO_INFER_SCHEMA", $"'{files[0].Path}'{(files.Length > 1 ? " and the others have" : " has")} no record, so there are no columns to see. Give the schema in the options.");
    }

    private static (Schema Columns, bool IsWhole)? Find(FileEntry file, CsvOptions options, CsvDialect dialect)
    {
        using var arena = TaskArena.OfDriver();
        using var stream = TextFiles.Open(file.Path, 0, file.Length, CompressedStreams.IsCompressed(file.Path));
        var wanted = options.InferTypes ? Math.Clamp(options.InferRows, 1, 1_000_000) + 1 : 1;
        var index = new CsvIndexer(arena, dialect, wanted);
        var capacity = FirstSampleBytes;
        var buffer = arena.Rent(capacity);
        var length = 0;
        bool isWhole;
        while (true)
        {
            var read = TextFiles.Fill(stream, new Span<byte>(buffer.Pointer + length, capacity - length));
            length += read;
            var isLast = length < capacity;
            TextFiles.CheckUtf8(new ReadOnlySpan<byte>(buffer.Pointer, length), file.Path);
            var start = length >= 3 && new ReadOnlySpan<byte>(buffer.Pointer, 3).SequenceEqual("\uFEFF"u8) ? 3 : 0;
            index.Find(buffer.Pointer, start, length, int.MaxValue, isLast, wanted);
            isWhole = isLast && index.Rows < wanted;

            // A record may be longer than the sample, and the first ones may be of no help.
            if (isLast || index.Rows >= wanted || (index.Rows > 1000 && capacity >= 4 << 20) || (index.Rows > 1 && capacity >= MostSampleBytes)) break;
            if (capacity > MostSampleBytes * 4) throw new QueryException("MALFORMED_CSV_RECORD", $"The first record of '{file.Path}' does not end within {length:N0} bytes. Perhaps a quote is not closed, or it is no CSV file.");
            var larger = arena.Rent(capacity * 4);
            Buffer.MemoryCopy(buffer.Pointer, larger.Pointer, length, length);
            arena.Return(buffer);
            (buffer, capacity) = (larger, capacity * 4);
        }
        if (index.Rows == 0) return null;

        var block = new CsvBlock(dialect, index, new TextHeap(arena));
        var width = index.FieldCount(0);
        block.Set(buffer.Pointer, width);
        var names = new List<string>();
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var column = 0; column < width; column++)
        {
            var name = options.HasHeader && block.TryField(0, column, out var text, out var size) && size > 0 ? Encoding.UTF8.GetString(text, size) : $"_c{column}";
            // As Spark: a second column of a name is told apart by its position.
            if (!taken.Add(name)) taken.Add(name += column);
            names.Add(name);
        }
        return (new Schema(names.Select((name, column) => new Field(name, options.InferTypes ? TypeOf(block, column, options) : DataType.String)).ToArray()), isWhole);
    }

    private static DataType TypeOf(CsvBlock block, int column, CsvOptions options)
    {
        List<DataType> types = [DataType.Boolean, DataType.BigInt, DataType.Double, DataType.Date, DataType.Timestamp];
        var hasValues = false;
        for (var row = options.HasHeader ? 1 : 0; row < block.Rows && types.Count > 0; row++)
        {
            if (!block.TryField(row, column, out var text, out var length)) continue;
            hasValues = true;
            for (var i = types.Count - 1; i >= 0; i--)
            {
                if (!Fits(text, length, types[i], options)) types.RemoveAt(i);
            }
        }
        return hasValues && types.Count > 0 ? types[0] : DataType.String;
    }

    private static bool Fits(byte* text, int length, DataType type, CsvOptions options)
    {
        var bytes = new ReadOnlySpan<byte>(text, length);
        switch (type.Kind)
        {
            case TypeKind.Boolean:
                return CsvBooleanColumn.Parse(bytes) is not null;
            case TypeKind.BigInt:
                return TextNumbers.TryInteger(bytes, out _);
            case TypeKind.Double:
                // A number of more digits than a long has is a name of something: as a double it would be another.
                return TextNumbers.TryDouble(bytes, out _) && (length <= 18 || bytes.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0);
            case TypeKind.Date when options.DateFormat is { } format:
                return new FormattedDateParser(format).TryParse(text, length, out _);
            case TypeKind.Date:
                return length is >= 8 and <= 10 && TimeText.TryDate(bytes, out _);
            case TypeKind.Timestamp when options.TimestampFormat is { } format:
                return new FormattedTimestampParser(format, null).TryParse(text, length, out _);
            default:
                return length >= 8 && TimeText.TryTimestamp(bytes, out _, out _);
        }
    }
}
