using Dataflow.MLlib.Data;
using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib;

/// <summary>Finds the nearest of the rows it was fitted with: for frames with <see cref="Transform"/>, for spans without any engine. Immutable and thread-safe.</summary>
public sealed record NearestNeighborsModel : Transformer
{
    private readonly NeighborIndex _index;
    private readonly IndexOptions _options;

    internal NearestNeighborsModel(NeighborIndex index, IndexOptions options)
    {
        _index = index;
        _options = options;
    }

    internal NearestNeighborsModel(ModelFolder folder) : this(IndexData.Load(folder).ToIndex(), folder.Get<IndexOptions>("options")) { }

    /// <summary>Columns of features of queries, in the order they were learned from.</summary>
    public ValueList<string> FeatureColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <summary>How many neighbours a query gets.</summary>
    public int K { get; init => field = Check.AtLeast(value, 1); } = 5;

    /// <inheritdoc cref="NeighborLearner{TModel}.EfSearch"/>
    public int EfSearch { get; init => field = Check.Between(value, 1, 1_000_000); } = 64;

    /// <inheritdoc cref="NeighborLearner{TModel}.Probes"/>
    public int Probes { get; init => field = Check.AtLeast(value, 1); } = 8;

    /// <summary>The column of ids of neighbours that <see cref="Transform"/> adds, nearest first: vectors of <see cref="K"/> whole numbers.</summary>
    public string NeighborsColumn { get; init => field = Check.Name(value); } = "neighbors";

    /// <summary>The column of their distances.</summary>
    public string DistancesColumn { get; init => field = Check.Name(value); } = "distances";

    /// <summary>How many rows can be found.</summary>
    public int Rows => _index.Rows.Count;

    /// <summary>Features of a row.</summary>
    public int FeatureCount => _index.Rows.Features;

    /// <summary>How neighbours are found: what <see cref="NeighborAlgorithm.Auto"/> chose, or what was asked for.</summary>
    public NeighborAlgorithm Algorithm => _index.Algorithm;

    /// <summary>The nearest rows of one query, nearest first.</summary>
    /// <param name="query">Its features.</param>
    /// <param name="filter">Ids that count; null takes all. Exact search asks it only of rows near enough. Where approximate search
    /// meets too few that pass, it compares all rows.</param>
    /// <returns><see cref="K"/> neighbours, fewer if fewer pass the filter.</returns>
    /// <exception cref="ArgumentException">The query has another number of features, a value that is not finite, or there are fewer than <see cref="K"/> rows.</exception>
    public Neighbor[] Search(ReadOnlySpan<float> query, Func<long, bool>? filter = null)
    {
        CheckQueries(query, single: true);
        return Take(_index.Search(query, Options(filter)), 0);
    }

    /// <summary>The nearest rows of many queries: cheaper than one by one.</summary>
    /// <param name="queries">queries x <see cref="FeatureCount"/>.</param>
    /// <param name="filter">As for <see cref="Search"/>; called on several threads.</param>
    /// <returns>By query, nearest first.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Search"/>.</exception>
    public Neighbor[][] SearchMany(ReadOnlySpan<float> queries, Func<long, bool>? filter = null)
    {
        CheckQueries(queries, single: false);
        var lists = _index.Search(queries, Options(filter));
        var found = new Neighbor[lists.Queries][];
        for (var q = 0; q < found.Length; q++) found[q] = Take(lists, q);
        return found;
    }

    /// <summary>All rows within a distance of a query, nearest first.</summary>
    /// <remarks>Exact for all algorithms: approximate indexes compare with every row.</remarks>
    /// <param name="query">Its features.</param>
    /// <param name="radius">The distance; rows just that far are found too.</param>
    /// <param name="filter">As for <see cref="Search"/>.</param>
    /// <exception cref="ArgumentException">As for <see cref="Search"/>; or the radius is NaN.</exception>
    public Neighbor[] Within(ReadOnlySpan<float> query, double radius, Func<long, bool>? filter = null)
    {
        if (double.IsNaN(radius)) throw new ArgumentException("The radius is NaN.", nameof(radius));
        CheckQueries(query, single: true, neighbors: 0);
        var index = _index.Algorithm is NeighborAlgorithm.BruteForce or NeighborAlgorithm.BallTree ? _index : new ExactIndex(_index.Rows, _index.Metric);
        var found = Take(index.Search(query, new(Math.Max(1, Rows), index.Keys.ToBound(radius), filter, Environment.ProcessorCount)), 0);
        return Array.FindAll(found, neighbor => neighbor.Distance <= radius);
    }

    /// <summary>The part of the true <see cref="K"/> neighbours that are found, over some queries: 1 for exact algorithms.</summary>
    /// <remarks>Answers count by their distance: one that is as near as the true last neighbour is right. Costs an exact search.</remarks>
    /// <param name="queries">queries x <see cref="FeatureCount"/>.</param>
    public double Recall(ReadOnlySpan<float> queries)
    {
        CheckQueries(queries, single: false);
        var found = _index.Search(queries, Options(null));
        var exact = new ExactIndex(_index.Rows, _index.Metric).Search(queries, Options(null));
        long right = 0;
        for (var q = 0; q < found.Queries; q++)
        {
            var last = exact.Bound(q);
            foreach (var key in found.Keys(q)) right += key <= last ? 1 : 0;
        }
        return found.Queries == 0 ? 1 : (double)right / ((long)found.Queries * K);
    }

    /// <summary>A model with more rows.</summary>
    /// <remarks>Exact algorithms copy their rows; HNSW copies its graph and puts the new rows in; IVF puts them into the lists of the centres it has.</remarks>
    /// <param name="values">rows x <see cref="FeatureCount"/>.</param>
    /// <param name="ids">One a row, of none that is there.</param>
    /// <exception cref="ArgumentException">An id is there already, lengths do not fit, or a value is not finite.</exception>
    public NearestNeighborsModel Add(ReadOnlySpan<float> values, ReadOnlySpan<long> ids)
    {
        if (ids.Length * (long)FeatureCount != values.Length)
            throw new ArgumentException($"There are {values.Length:N0} values and {ids.Length:N0} ids, and a row has {FeatureCount} features. Give an id for each row.");
        return new NearestNeighborsModel(_index.Add(values, ids, _options), _options) { FeatureColumns = FeatureColumns, K = K, EfSearch = EfSearch, Probes = Probes, NeighborsColumn = NeighborsColumn, DistancesColumn = DistancesColumn };
    }

    /// <summary>A model without some rows. Ids that are not there are passed over.</summary>
    /// <remarks>HNSW copies its graph, takes the rows out and mends the links around them; when more than half of its rows go, it is built anew. IVF and exact algorithms copy what stays.</remarks>
    /// <param name="ids">Whose rows go.</param>
    public NearestNeighborsModel Remove(ReadOnlySpan<long> ids) =>
        new(_index.Remove(ids, _options), _options) { FeatureColumns = FeatureColumns, K = K, EfSearch = EfSearch, Probes = Probes, NeighborsColumn = NeighborsColumn, DistancesColumn = DistancesColumn };

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        CheckCount(K);
        var ids = _index.Rows.Ids;
        if (ids.Length > 0 && (ids[0] < -(1L << 53) || ids[^1] > 1L << 53))
            throw new QueryException("INVALID_ID", "Ids beyond 2^53 do not fit the elements of a vector. Find neighbours with NearestNeighborsJoin, which gives them as rows.");
        foreach (var name in new[] { NeighborsColumn, DistancesColumn })
        {
            if (frame.Schema.IndexOf(name) >= 0)
                throw new QueryException("COLUMN_ALREADY_EXISTS", $"{nameof(NearestNeighborsModel)} adds a column '{name}', and the frame has one already. Drop that, or give the model another name.");
        }
        var shared = SharedIndex.Of(_index, frame.Session.Context);
        var columns = Data.FeatureColumns.Of(frame, FeatureColumns, nameof(NearestNeighborsModel));
        var found = frame.WithColumn(NeighborsColumn, new NeighborScorer(shared, FeatureCount, K, Breadth).Of(frame, columns));
        var both = Data.FeatureColumns.Of(found, [.. FeatureColumns, NeighborsColumn], nameof(NearestNeighborsModel));
        return found.WithColumn(DistancesColumn, new NeighborDistanceScorer(shared, FeatureCount, K).Of(found, both));
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        IndexData.Of(_index).Save(folder);
        folder.Set("options", _options);
    }

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static NearestNeighborsModel Load(string path) => Load<NearestNeighborsModel>(path);

    private int Breadth => _index.Algorithm == NeighborAlgorithm.Ivf ? Probes : EfSearch;

    private SearchOptions Options(Func<long, bool>? filter) => new(K, Filter: filter, Threads: Environment.ProcessorCount, Breadth: Breadth);

    private Neighbor[] Take(NeighborLists lists, int query)
    {
        lists.Sort(query);
        var keys = lists.Keys(query);
        var positions = lists.Positions(query);
        var found = new Neighbor[keys.Length];
        for (var i = 0; i < found.Length; i++) found[i] = new Neighbor(_index.Rows.Ids[positions[i]], _index.Keys.ToDistance(keys[i]));
        return found;
    }

    private void CheckQueries(ReadOnlySpan<float> queries, bool single, int neighbors = -1)
    {
        if (single ? queries.Length != FeatureCount : queries.Length % FeatureCount != 0)
            throw new ArgumentException($"The model was made of rows of {FeatureCount} features, and {(single ? "the query has" : "the queries have")} {queries.Length} values.");
        RowSet.CheckFinite(queries, FeatureCount, "query");
        CheckCount(neighbors < 0 ? K : neighbors);
    }

    private void CheckCount(int k)
    {
        if (k > Rows) throw new ArgumentException($"There are {Rows:N0} rows, and {k:N0} neighbours are wanted. Ask for at most as many as there are rows.");
    }
}
