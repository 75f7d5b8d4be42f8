using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;

namespace Dataflow.MLlib.Data;

/// <summary>Some rows of training data as numbers: what learners that go over their rows many times keep in memory, as elements of an Rdd.</summary>
/// <param name="Width">Features.</param>
/// <param name="Values">rows x features, row by row.</param>
/// <param name="Labels">One a row; empty if there are none.</param>
/// <param name="Weights">One a row; empty if all are 1.</param>
internal sealed record FeatureBlock(int Width, double[] Values, double[] Labels, double[] Weights)
{
    /// <summary>The largest number of which sums of squares are taken: those of 10^10 do not overflow.</summary>
    public const double LargestSquared = 1e149;

    /// <summary>Most bytes of the values of a block, about.</summary>
    private const int MostBytes = 1 << 20;

    // A stored number of a sparse row costs half more memory and several times the work of a dense one.
    private const int SparseBelow = 4;

    /// <summary>The rows, if they are kept sparse; <see cref="Values"/> is empty then. Only for those who asked for it when they read.</summary>
    public SparseRows? Sparse { get; init; }

    /// <summary>Rows.</summary>
    public int Rows => Sparse is { } sparse ? sparse.Starts.Length - 1 : Width == 0 ? Labels.Length : Values.Length / Width;

    /// <summary>The weight of a row.</summary>
    public double WeightOf(int row) => Weights.Length == 0 ? 1 : Weights[row];

    /// <summary>Reads the rows of a frame into blocks, in order.</summary>
    /// <remarks>Lazy, narrow. A feature, label or weight that is null, NaN or infinite is a <see cref="QueryException"/> of the job that names its
    /// column.</remarks>
    /// <param name="frame">The frame.</param>
    /// <param name="columns">Its features.</param>
    /// <param name="user">Who reads, for errors.</param>
    /// <param name="label">The label's column; null if there is none.</param>
    /// <param name="weight">The weight's column; null if there is none.</param>
    /// <param name="keepsSparse">Whether rows of mostly zeros may stay sparse.</param>
    /// <param name="largest">Features of a larger magnitude are refused, such as those whose squares overflow.</param>
    public static Rdd<FeatureBlock> Read(DataFrame frame, FeatureColumns columns, string user, string? label = null, string? weight = null, bool keepsSparse = false, double largest = double.MaxValue)
    {
        var hasLabel = label is not null;
        var hasWeight = weight is not null;
        string[] others = [.. new[] { label, weight }.OfType<string>()];
        return columns.Select(frame, user, label, weight).MapBatches(batches => Blocks(batches, columns, user, hasLabel, hasWeight, keepsSparse, others, largest));
    }

    private static IEnumerable<FeatureBlock> Blocks(
        IEnumerable<ColumnBatch> batches, FeatureColumns columns, string user, bool hasLabel, bool hasWeight, bool keepsSparse, string[] others, double largest)
    {
        var reader = new FeatureReader(columns, user);
        foreach (var batch in batches)
        {
            var rows = reader.Begin(batch);
            if (rows == 0) continue;
            if (reader.Width < 0) throw Missing(columns.Names[reader.Widths.IndexOf(-1)], user, double.NaN);
            var isSparse = keepsSparse && reader.StoredCount(0, rows) < (long)rows * reader.Width / SparseBelow;
            var most = isSparse ? rows : Math.Max(1, MostBytes / 8 / Math.Max(1, reader.Width));
            for (var first = 0; first < rows; first += most)
                yield return Block(reader, batch, first, Math.Min(most, rows - first), columns, user, hasLabel, hasWeight, isSparse, others, largest);
        }
    }

    private static unsafe FeatureBlock Block(
        FeatureReader reader, ColumnBatch batch, int first, int count, FeatureColumns columns, string user, bool hasLabel, bool hasWeight, bool isSparse, string[] others, double largest)
    {
        var width = reader.Width;
        var sparse = isSparse ? reader.ReadSparse(first, count) : null;
        var values = isSparse ? [] : GC.AllocateUninitializedArray<double>(count * width);
        if (!isSparse) fixed (double* to = values) reader.Read(first, count, to, width);
        var all = sparse?.Values ?? values;
        var bad = FirstNotFinite(all);
        if (bad >= 0) throw Missing(columns.FeatureNames(width, reader.Widths)[sparse?.Indices[bad] ?? bad % width], user, all[bad]);
        bad = largest < double.MaxValue ? all.AsSpan().IndexOfAnyExceptInRange(-largest, largest) : -1;
        if (bad >= 0) throw FeatureMoments.Overflow(user, $"column '{columns.FeatureNames(width, reader.Widths)[sparse?.Indices[bad] ?? bad % width]}'");
        var labels = hasLabel ? new double[count] : [];
        var weights = hasWeight ? new double[count] : [];
        if (hasLabel) reader.ReadOther(batch, 0, first, labels);
        if (hasWeight) reader.ReadOther(batch, hasLabel ? 1 : 0, first, weights);
        foreach (var label in labels)
        {
            if (!double.IsFinite(label)) throw Missing(others[0], user, label);
        }
        foreach (var weight in weights)
        {
            if (!(weight >= 0) || double.IsInfinity(weight))
                throw new QueryException("INVALID_WEIGHT",
                    $"Column '{others[^1]}' holds the weight {weight}, and {user} needs weights of 0 or more. Mend or filter such rows first.");
        }
        return new FeatureBlock(width, values, labels, weights) { Sparse = sparse };
    }

    private static int FirstNotFinite(double[] values)
    {
        // What is not finite makes the sum of x - x NaN: a test of eight numbers at a time instead of one by one.
        for (var start = 0; start < values.Length; start += 1024)
        {
            var part = values.AsSpan(start, Math.Min(1024, values.Length - start));
            var sum = Vector512<double>.Zero;
            var i = 0;
            for (; i + 8 <= part.Length; i += 8)
            {
                var x = Vector512.LoadUnsafe(ref part[i]);
                sum += x - x;
            }
            var isFinite = Vector512.EqualsAll(sum, Vector512<double>.Zero);
            for (; i < part.Length; i++) isFinite &= double.IsFinite(part[i]);
            if (isFinite) continue;
            for (i = 0; i < part.Length; i++) if (!double.IsFinite(part[i])) return start + i;
        }
        return -1;
    }

    private static QueryException Missing(string column, string user, double value) => new(
        "INVALID_FEATURE",
        $"Column '{column}' holds {(double.IsNaN(value) ? "null or NaN" : "an infinite number")}, which {user} can't learn from. Fill it with Imputer, or filter such rows first.");
}
