using System.Numerics;
using System.Runtime.InteropServices;
using Dataflow.MLlib.Data;
using Dataflow.Sql.Columns;
using Dataflow.Tasks;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>Copies batches into blocks of columns, once: what expensive queries give is computed a single time.</summary>
internal static unsafe class RowLoader
{
    private const int BlockRows = 65_536;

    /// <summary>Reads a partition.</summary>
    /// <param name="batches">Features first, then others.</param>
    /// <param name="features">Which columns are features.</param>
    /// <param name="isCategorical">By feature column: whether it holds categories.</param>
    /// <param name="others">How many columns of doubles follow.</param>
    /// <param name="validationAt">Which of those marks validation rows, by anything but 0 and null; -1 if none does.</param>
    /// <param name="user">Who reads, for errors.</param>
    /// <param name="services">The executor: its memory budget says which blocks go to a file.</param>
    public static LoadedRows Load(IEnumerable<ColumnBatch> batches, FeatureColumns features, bool[] isCategorical, int others, int validationAt, string user, ExecutorServices services)
    {
        var reader = new FeatureReader(features, user);
        using var training = new Collector(features, isCategorical, others, user, services);
        using var validation = new Collector(features, isCategorical, others, user, services);
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
        var greatest = training.GreatestLabel;
        return new LoadedRows(training.End(), validation.End(), [.. reader.Widths]) { GreatestLabel = greatest };
    }

    // Blocks of the rows that are chosen of each batch.
    private sealed class Collector(FeatureColumns features, bool[] isCategorical, int others, string user, ExecutorServices services) : IDisposable
    {
        // The part of the budget that rows may take while they wait to be binned.
        private const int BudgetParts = 8;
        private const int BlockParts = 64;

        private readonly List<LoadedBlock> _blocks = [];
        private long _held;
        private long _rows;
        private Filling? _filling;
        private double[] _vectors = [];

        public void Add(FeatureReader reader, ColumnBatch batch, ReadOnlySpan<ushort> selection)
        {
            reader.Begin(batch.Columns, selection);
            for (var done = 0; done < selection.Length;)
            {
                if (_filling is null || _filling.Rows == _filling.Capacity)
                {
                    if (_filling is not null) Keep(_filling.End());
                    _filling = new Filling(features, reader.Widths, batch, others, services.Memory.TotalBytes / BlockParts, user);
                }
                var count = Math.Min(selection.Length - done, _filling.Capacity - _filling.Rows);
                var rows = selection.Slice(done, count);
                var feature = 0;
                for (var column = 0; column < features.Count; column++)
                {
                    var width = reader.Widths[column];
                    if (!features.IsVector[column])
                    {
                        Copy(batch.Columns[column], rows, _filling.Columns[feature], _filling.Rows);
                        if (column < isCategorical.Length && isCategorical[column]) CheckCategories(_filling.Columns[feature], _filling.Rows, count, features.Names[column], user);
                    }
                    else
                    {
                        if (_vectors.Length < count * width) _vectors = GC.AllocateUninitializedArray<double>(ColumnBatch.MaxRows * width);
                        fixed (double* to = _vectors) reader.ReadVectors(column, done, count, to, width);
                        Transpose(_vectors, count, width, _filling.Columns, feature, _filling.Rows);
                    }
                    feature += width;
                }
                for (var other = 0; other < others; other++) reader.ReadOther(batch, other, done, _filling.Others[other].AsSpan(_filling.Rows, count));
                foreach (var label in others > 0 ? _filling.Others[0].AsSpan(_filling.Rows, count) : default)
                {
                    if (!(label <= GreatestLabel)) GreatestLabel = double.IsNaN(label) ? GreatestLabel : label;
                }
                _filling.Rows += count;
                done += count;
                _rows += count;

                // All of the partition's rows come to one executor: what can't fit need not be read to its end.
                if (others > 0) TreeMemory.Check(_rows, 0, 1, services.Memory.TotalBytes, user);
            }
        }

        public double GreatestLabel { get; private set; } = double.NaN;

        /// <summary>The blocks, whose owner is the caller from now on.</summary>
        public LoadedBlock[] End()
        {
            if (_filling is { Rows: > 0 } last) Keep(last.End());
            LoadedBlock[] all = [.. _blocks];
            _blocks.Clear();
            return all;
        }

        public void Dispose()
        {
            foreach (var block in _blocks) block.Dispose();
        }

        private void Keep(LoadedBlock block)
        {
            // Most of the budget is for what trees need, and some of it may be taken by what is not the engine's.
            var room = Math.Min(services.Memory.TotalBytes, services.Memory.LimitBytes) / BudgetParts;
            if (_held + block.Bytes + services.Memory.ReservedBytes > room) block = block.ToFile(services.Temp.Folder);
            _held += block.Bytes;
            _blocks.Add(block);
        }
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

    // Categories are numbers of things; a part of one is a mistake, not a category.
    private static void CheckCategories(Array column, int start, int count, string name, string user)
    {
        for (var i = start; i < start + count; i++)
        {
            var value = column is float[] singles ? singles[i] : ((double[])column)[i];
            if (double.IsNaN(value) || value == Math.Floor(value)) continue;
            throw new QueryException("INVALID_CATEGORY", $"Column '{name}' holds {value}, and {user} takes it as categories, which are whole numbers. Turn it into such with StringIndexer, or leave it out of CategoricalColumns.");
        }
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
        public Filling(FeatureColumns features, ReadOnlySpan<int> widths, ColumnBatch batch, int others, long mostBytes, string user)
        {
            var columns = new List<Array>();
            var width = 0;
            foreach (var each in widths) width += each;

            // Of wide rows fewer make a block, and of a small budget.
            Capacity = (int)Math.Clamp(Math.Clamp(mostBytes, 1 << 20, 64 << 20) / 8 / (width + others + 1) / 64 * 64, 64, BlockRows);
            if (8.0 * Capacity * width > 8.0 * mostBytes)
            {
                throw new QueryException("TOO_MANY_FEATURES", $"{user} was given rows of {width:N0} features, which it keeps densely: {Capacity} rows take {8L * Capacity * width >> 20:N0} MB, "
                    + "more than the memory budget allows. Use fewer features (hash them, or leave rare categories out), or raise DataflowOptions.MemoryBytes.");
            }
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
