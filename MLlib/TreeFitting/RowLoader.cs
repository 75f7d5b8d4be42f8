using System.Numerics;
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
    /// <param name="user">Who reads, for errors.</param>
    public static LoadedRows Load(IEnumerable<ColumnBatch> batches, FeatureColumns features, int others, string user)
    {
        var reader = new FeatureReader(features, user);
        var blocks = new List<LoadedBlock>();
        Filling? filling = null;
        var vectors = Array.Empty<double>();
        foreach (var batch in batches)
        {
            var rows = reader.Begin(batch);
            if (rows == 0) continue;
            if (reader.Width < 0)
            {
                throw new QueryException("INVALID_FEATURE",
                    $"The first rows of column '{features.Names[reader.Widths.IndexOf(-1)]}' hold only NULL, and {user} needs vectors there. Filter such rows first.");
            }
            for (var done = 0; done < rows;)
            {
                if (filling is null || filling.Rows == filling.Capacity)
                {
                    if (filling is not null) blocks.Add(filling.End());
                    filling = new Filling(features, reader.Widths, batch, others);
                }
                var count = Math.Min(rows - done, filling.Capacity - filling.Rows);
                var selection = batch.Selection.Slice(done, count);
                var feature = 0;
                for (var column = 0; column < features.Count; column++)
                {
                    var width = reader.Widths[column];
                    if (!features.IsVector[column]) Copy(batch.Columns[column], selection, filling.Columns[feature], filling.Rows);
                    else
                    {
                        if (vectors.Length < count * width) vectors = GC.AllocateUninitializedArray<double>(ColumnBatch.MaxRows * width);
                        fixed (double* to = vectors) reader.ReadVectors(column, done, count, to, width);
                        Transpose(vectors, count, width, filling.Columns, feature, filling.Rows);
                    }
                    feature += width;
                }
                for (var other = 0; other < others; other++) reader.ReadOther(batch, other, done, filling.Others[other].AsSpan(filling.Rows, count));
                filling.Rows += count;
                done += count;
            }
        }
        if (filling is { Rows: > 0 }) blocks.Add(filling.End());
        return new LoadedRows([.. blocks], [.. reader.Widths]);
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
