using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Dataflow.Files;
using Dataflow.MLlib.Data;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Csv;
using Dataflow.Sql.Json;

namespace Dataflow.MLlib.Sources;

/// <summary>Makes rows of lines like <c>1 qid:7 3:0.5 10:2 # remark</c>: a label, positions in ascending order, and their values.</summary>
/// <param name="fields">Which columns are wanted, in order: 0 label, 1 features, 2 qid.</param>
/// <param name="features">Elements of the vectors.</param>
/// <param name="firstPosition">The position of element 0: 1, or 0.</param>
/// <param name="queries">Whether each line must have a qid.</param>
internal sealed class LibSvmParser(int[] fields, int features, int firstPosition, bool queries) : LineParser
{
    public override LineRows Open(TaskArena arena, FileSlice file) => new Rows(arena, file, fields, features, firstPosition, queries);

    private sealed unsafe class Rows(TaskArena arena, FileSlice file, int[] fields, int features, int firstPosition, bool queries) : LineRows
    {
        private static readonly SearchValues<byte> Blank = SearchValues.Create(" \t\r"u8);

        private readonly FlatVector[] _columns = [new FlatVector(arena, DataType.Double), new FlatVector(arena, DataType.Vector), new FlatVector(arena, DataType.BigInt)];
        private readonly TextHeap _heap = new(arena);
        private int[] _places = new int[256];
        private double[] _values = new double[256];

        public override ColumnVector[] Columns => [.. fields.Select(each => _columns[each].Vector)];

        public override void Clear() => _heap.Clear();

        public override bool Add(ReadOnlySpan<byte> line, long offset, int row)
        {
            var rest = line;
            if (offset == 0 && rest.StartsWith("\uFEFF"u8)) rest = rest[3..];
            if (rest.IndexOf((byte)'#') is var remark and >= 0) rest = rest[..remark];
            var label = Next(ref rest);
            if (label.IsEmpty) return false;
            if (!TryNumber(label, out var number)) throw Malformed(offset, $"'{Text(label)}' is no label");
            ((double*)_columns[0].Data)[row] = number;
            long? query = null;
            var stored = 0;
            for (var last = firstPosition - 1; Next(ref rest) is { IsEmpty: false } pair;)
            {
                var colon = pair.IndexOf((byte)':');
                if (colon < 0) throw Malformed(offset, $"'{Text(pair)}' is no pair of position and value, such as 3:0.5");
                var name = pair[..colon];
                var value = pair[(colon + 1)..];
                if (name.SequenceEqual("qid"u8))
                {
                    if (!Utf8Parser.TryParse(value, out long id, out var read) || read < value.Length || query is not null || stored > 0)
                        throw Malformed(offset, $"'{Text(pair)}' is no query number, one of which may follow the label");
                    query = id;
                    continue;
                }
                var place = PlaceOf(name, last, offset);
                if (!TryNumber(value, out number)) throw Malformed(offset, $"'{Text(value)}', the value of position {place}, is no number");
                if (stored == _places.Length)
                {
                    Array.Resize(ref _places, stored * 2);
                    Array.Resize(ref _values, stored * 2);
                }
                _places[stored] = place - firstPosition;
                _values[stored++] = number;
                last = place;
            }
            if (queries) ((long*)_columns[2].Data)[row] = query ?? throw Malformed(offset, "it has no qid, and queries were asked for");
            if (Array.IndexOf(fields, 1) >= 0)
                ((StringView*)_columns[1].Data)[row] = VectorWriter.WriteSparse(_heap, features, _places.AsSpan(0, stored), _values.AsSpan(0, stored));
            return true;
        }

        public override void End(int rows)
        {
            foreach (var column in _columns) column.Set(rows, hasNulls: false);
        }

        private int PlaceOf(ReadOnlySpan<byte> name, int last, long offset)
        {
            if (!Utf8Parser.TryParse(name, out int place, out var read) || read < name.Length) throw Malformed(offset, $"'{Text(name)}' is no position");
            if (place < firstPosition)
            {
                throw Malformed(offset, place == 0
                    ? "position 0 is below 1, where positions of LIBSVM files begin. If the whole file counts from 0, read it with firstPosition: 0, and nothing is shifted"
                    : $"position {place} is below {firstPosition}, where positions begin");
            }
            if (place <= last) throw Malformed(offset, $"position {place} follows {last}, and positions must ascend");
            return place - firstPosition < features ? place : throw Malformed(offset, $"position {place} is above the number of features, {features}");
        }

        // What stands up to the next blank; empty at the end.
        private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest)
        {
            var start = rest.IndexOfAnyExcept(Blank);
            if (start < 0) return rest = default;
            rest = rest[start..];
            var end = rest.IndexOfAny(Blank);
            var word = end < 0 ? rest : rest[..end];
            rest = rest[word.Length..];
            return word;
        }

        private static bool TryNumber(ReadOnlySpan<byte> text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);

        private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes.Length > 60 ? bytes[..60] : bytes);

        private QueryException Malformed(long offset, string problem) => new("MALFORMED_LIBSVM",
            $"'{file.Path}', line {TextFiles.LineOf(file.Path, file.FileLength, offset):N0} (byte {offset:N0}): {problem}. Mend the line, or take it out.");
    }
}
