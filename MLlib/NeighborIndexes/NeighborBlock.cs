using Dataflow.MLlib.Data;
using Dataflow.MLlib.NeighborKernels;
using Dataflow.Sql.Columns;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>Some rows of a frame: what reading it for a search gives, as elements of an Rdd.</summary>
/// <param name="Features">Of each row.</param>
/// <param name="Values">rows x features.</param>
/// <param name="Ids">One a row; empty if no column has them.</param>
/// <param name="Labels">One a row; empty if there are none.</param>
internal sealed record NeighborBlock(int Features, float[] Values, long[] Ids, double[] Labels)
{
    /// <summary>What single precision does to each feature: its least and largest value in double precision, and the most that one was moved by; empty where not looked at.</summary>
    public double[] Extents { get; init; } = [];

    public int Rows => Features == 0 ? 0 : Values.Length / Features;

    /// <summary>Reads the rows of a frame, in order.</summary>
    /// <remarks>Lazy, narrow. A feature or label that is null or no finite number, or an id that is null, is a <see cref="QueryException"/> of the job.</remarks>
    public static Rdd<NeighborBlock> Read(DataFrame frame, FeatureColumns columns, string user, string? id, string? label)
    {
        List<Column> all = [.. columns.In(frame).Select((column, i) => column.As($"f{i}"))];
        if (label is not null) all.Add(frame[label].Cast(DataType.Double).As("label"));
        if (id is not null) all.Add(IdsOf(frame, id, user).As("id"));
        var (hasId, hasLabel) = (id is not null, label is not null);
        return frame.Select([.. all]).MapBatches(batches => Blocks(batches, columns, user, hasId, hasLabel));
    }

    /// <summary>The column of ids.</summary>
    /// <exception cref="QueryException">It is missing, or does not hold whole numbers.</exception>
    public static Column IdsOf(DataFrame frame, string id, string user)
    {
        var type = frame.Schema[frame.Schema.IndexOf(frame.Select(frame[id]).Columns[0])].Type;
        if (!type.IsInteger)
            throw new QueryException("DATATYPE_MISMATCH", $"{user} needs whole numbers as ids, and column '{id}' is {type}. Number the rows, or leave the id column out.");
        return frame[id].Cast(DataType.BigInt);
    }

    /// <summary>The rows in blocks of at most some numbers of values: of one row at least.</summary>
    public IEnumerable<NeighborBlock> Pieces(int values)
    {
        var most = Math.Max(1, values / Math.Max(1, Features));
        if (Rows <= most)
        {
            yield return this;
            yield break;
        }
        for (var row = 0; row < Rows; row += most)
        {
            var end = Math.Min(Rows, row + most);
            yield return new NeighborBlock(Features, Values[(row * Features)..(end * Features)], Ids[row..end], Labels.Length == 0 ? Labels : Labels[row..end]);
        }
    }

    /// <summary>All rows of a frame, in this process.</summary>
    public static async Task<NeighborBlock> CollectAsync(DataFrame frame, FeatureColumns columns, string user, string? id, string? label, CancellationToken cancellationToken)
    {
        var blocks = await Read(frame, columns, user, id, label).CollectAsync(cancellationToken).ConfigureAwait(false);
        SinglePrecision.Check(blocks, columns, user);
        return Join(blocks, user);
    }

    /// <summary>Blocks put together, in their order.</summary>
    /// <exception cref="QueryException">Rows differ in their number of features.</exception>
    public static NeighborBlock Join(IReadOnlyList<NeighborBlock> blocks, string user)
    {
        if (blocks.Count == 0) return new NeighborBlock(0, [], [], []);
        var features = blocks[0].Features;
        if (blocks.FirstOrDefault(block => block.Features != features) is { } other)
            throw new QueryException("VECTOR_SIZE_MISMATCH", $"Some rows have {features} features and others {other.Features}. {user} needs one number of them.");
        var length = blocks.Sum(block => (long)block.Values.Length);
        if (length > Array.MaxLength - 16)
            throw new QueryException("TOO_MANY_ROWS", $"{user} keeps all rows in one process, and {length:N0} values do not fit it. NearestNeighborsJoin leaves rows spread over workers.");
        var values = new float[length];
        var at = 0;
        foreach (var block in blocks)
        {
            block.Values.CopyTo(values, at);
            at += block.Values.Length;
        }
        return new NeighborBlock(features, values, [.. blocks.SelectMany(block => block.Ids)], [.. blocks.SelectMany(block => block.Labels)]);
    }

    private static IEnumerable<NeighborBlock> Blocks(IEnumerable<ColumnBatch> batches, FeatureColumns columns, string user, bool hasId, bool hasLabel)
    {
        var reader = new FeatureReader(columns, user);
        foreach (var batch in batches)
        {
            var rows = reader.Begin(batch);
            if (rows == 0) continue;
            yield return Block(reader, batch, rows, columns, user, hasId, hasLabel);
        }
    }

    private static unsafe NeighborBlock Block(FeatureReader reader, ColumnBatch batch, int rows, FeatureColumns columns, string user, bool hasId, bool hasLabel)
    {
        var width = reader.Width;
        if (width < 0) throw Missing(columns.Names[reader.Widths.IndexOf(-1)], user, float.NaN);
        var values = new float[rows * width];
        fixed (float* to = values) reader.Read(0, rows, to, width);
        var bad = RowSet.IndexOfNotFinite(values);
        if (bad >= 0) throw Missing(columns.FeatureNames(width, reader.Widths)[bad % width], user, values[bad]);
        var extents = SinglePrecision.ExtentsOf(reader, values, rows, width);
        var labels = new double[hasLabel ? rows : 0];
        if (hasLabel) reader.ReadOther(batch, 0, 0, labels);
        foreach (var label in labels)
        {
            if (!double.IsFinite(label)) throw new QueryException("INVALID_LABEL", $"The label column holds {(double.IsNaN(label) ? "null or NaN" : "an infinite number")}, which {user} can't learn from.");
        }
        var ids = new long[hasId ? rows : 0];
        if (hasId)
        {
            var column = batch.Columns[^1];
            var selection = batch.Selection;
            for (var i = 0; i < rows; i++)
            {
                if (column.IsNull(selection[i])) throw new QueryException("INVALID_ID", $"The id column holds null, and {user} needs an id for every row.");
                ids[i] = column.Value<long>(selection[i]);
            }
        }
        return new NeighborBlock(width, values, ids, labels) { Extents = extents };
    }

    private static QueryException Missing(string column, string user, float value) => new(
        "INVALID_FEATURE",
        $"Column '{column}' holds {(float.IsNaN(value) ? "null or NaN" : "a number beyond single precision")}, which has no distance from anything. {user} needs finite numbers: "
            + "fill it with Imputer, or filter such rows first.");
}
