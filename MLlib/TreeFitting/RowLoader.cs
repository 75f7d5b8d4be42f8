using System.Numerics;
using System.Runtime.InteropServices;
using Dataflow.MLlib.Data;
using Dataflow.Sql.Columns;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>Copies batches into blocks of columns, once: what expensive queries give is computed a single time.</summary>
internal static unsafe class RowLoader
{
    private const int BlockRows = 65_536;

    /// <summary>Reads a partition.</summary>
    /// <param name="batches">Features first, then others.</param>
    /// <param name="features">Which columns are features.</param>
    /// <param name="others">How many columns of doubles follow.</param>
    /// <param name="validationAt">Which of those marks validation rows, by anything but 0 and null; -1 if none does.</param>
    /// <param name="user">Who reads, for errors.</param>
    public static LoadedRows Load(IEnumerable<ColumnBatch> batches, FeatureColumns features, int others, int validationAt, string user)
    {
        var reader = new FeatureReader(features, user);
        var training = new Collector(features, others);
        var validation = new Collector(features, others);
        foreach (var batch in batches)
        {
            if (reader.Begin(batch) == 0) continue;
            if (reader.Width < 0)
            {
                throw new QueryException("INVALID_FEATURE",
                    $"The first rows of column '{features.Names[reader.Widths.IndexOf(-1)]}' hold only NULL, and {user} needs vectors there. Filter such rows first.");
            }
            if (validationAt < 0)
            {
                training.Add(reader, batch, batch.Selection);
                continue;
            }
            var marks = batch.Columns[features.Count + validationAt];
            var (learned, watched) = (new List<ushort>(), new List<ushort>());
            foreach (var row in batch.Selection) (marks.IsNull(row) || marks.Value<double>(row) == 0 ? learned : watched).Add(row);
            training.Add(reader, batch, CollectionsMarshal.AsSpan(learned));
            validation.Add(reader, batch, CollectionsMarshal.AsSpan(watched));
        }
        return new LoadedRows(training.End(), validation.End(), [.. reader.Widths]);
    }

    // Blocks of the rows that are chosen of each batch.
    private sealed class Collector(FeatureColumns features, int others)
    {
        private readonly List<LoadedBlock> _blocks = [];
        private Filling? _filling;
        private double[] _vectors = [];

        public void Add(FeatureReader reader, ColumnBatch batch, ReadOnlySpan<ushort> selection)
        {
            reader.Begin(batch.Columns, selection);
            for (var done = 0; done < selection.Length;)
            {
                if (_filling is null || _filling.Rows == _filling.Capacity)
                {
                    if (_filling is not null) _blocks.Add(_filling.End());
                    _filling = new Filling(features, reader.Widths, batch, others);
                }
                var count = Math.Min(selection.Length - done, _filling.Capacity - _filling.Rows);
                var rows = selection.Slice(done, count);
                var feature = 0;
                for (var column = 0; column < features.Count; column++)
                {
                    var width = reader.Widths[column];
                    if (!features.IsVector[column]) Copy(batch.Columns[column], rows, _filling.Columns[feature], _filling.Rows);
                    else
                    {
                        if (_vectors.Length < count * width) _vectors = GC.AllocateUninitializedArray<double>(ColumnBatch.MaxRows * width);
                        fixed (double* to = _vectors) reader.ReadVectors(column, done, count, to, width);
                        Transpose(_vectors, count, width, _filling.Columns, feature, _filling.Rows);
                    }
                    feature += width;
                }
                for (var other = 0; other < others; other++) reader.ReadOther(batch, other, done, _filling.Others[other].AsSpan(_filling.Rows, count));
                _filling.Rows += count;
                done += count;
            }
        }

        public LoadedBlock[] End() => _filling is { Rows: > 0 } last ? [.. _blocks, last.End()] : [.. _blocks];
    }

    private static void Copy(ColumnVector column, ReadOnlySpan<ushort> selection, Array to, int start)
    {
        if (to is float[] singles) Copy<float>(column, selection, singles.AsSpan(start, selection.Length));
        else Copy<double>(column, selection, ((double[])to).AsSpan(start, selection.Length));
    }

    private static void Copy<T>(ColumnVector column, ReadOnlySpan<ushort> selection, Span<T> to) where T : unmanaged, INumberBase<T>
    {
        if (column.Form == VectorForm.Flat && column.Validity == null && selection[^1] - selection[0] == selection.Length - 1)
        {
            new ReadOnlySpan<T>((T*)column.Data + selection[0], selection.Length).CopyTo(to);
            return;
        }
        var missing = T.CreateTruncating(double.NaN);
        for (var i = 0; i < to.Length; i++) to[i] = column.IsNull(selection[i]) ? missing : column.Value<T>(selection[i]);
    }

    private static void Transpose(double[] rows, int count, int width, Array[] columns, int first, int start)
    {
        for (var i = 0; i < width; i++)
        {
            var to = ((double[])columns[first + i]).AsSpan(start, count);
            for (var row = 0; row < count; row++) to[row] = rows[(row * width) + i];
        }
    }

    private sealed class Filling
    {
        public Filling(FeatureColumns features, ReadOnlySpan<int> widths, ColumnBatch batch, int others)
        {
            var columns = new List<Array>();
            var width = 0;
            foreach (var each in widths) width += each;

            // Of wide rows fewer make a block.
            Capacity = Math.Clamp((64 << 20) / 8 / Math.Max(1, width) / 1024 * 1024, 1024, BlockRows);
            for (var i = 0; i < features.Count; i++)
            {
                for (var j = 0; j < widths[i]; j++)
                {
                    columns.Add(!features.IsVector[i] && batch.Columns[i].Type.Kind == TypeKind.Float
                        ? GC.AllocateUninitializedArray<float>(Capacity)
                        : GC.AllocateUninitializedArray<double>(Capacity));
                }
            }
            Columns = [.. columns];
            Others = new double[others][];
            for (var i = 0; i < others; i++) Others[i] = GC.AllocateUninitializedArray<double>(Capacity);
        }

        public int Capacity { get; }

        public int Rows { get; set; }

        public Array[] Columns { get; }

        public double[][] Others { get; }

        // A block that is hardly filled does not keep its room.
        public LoadedBlock End() => Rows > Capacity / 2
            ? new LoadedBlock(Rows, Columns, Others)
            : new LoadedBlock(Rows, Array.ConvertAll(Columns, Trim), Array.ConvertAll(Others, column => column[..Rows]));

        private Array Trim(Array column) => column is float[] singles ? singles[..Rows] : ((double[])column)[..Rows];
    }
}
