using Dataflow.MLlib.NeighborGraphs;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>An index as plain arrays: what travels to executors and lies in files.</summary>
internal sealed class IndexData
{
    public NeighborAlgorithm Algorithm { get; set; }

    public DistanceMetric Metric { get; set; }

    public double Power { get; set; }

    public int Features { get; set; }

    public float[] Values { get; set; } = [];

    public long[] Ids { get; set; } = [];

    /// <summary>Settings and sizes of the algorithm, by name.</summary>
    public Dictionary<string, int> Numbers { get; set; } = [];

    public Dictionary<string, int[]> Ints { get; set; } = [];

    public Dictionary<string, float[]> Floats { get; set; } = [];

    public Dictionary<string, byte[]> Bytes { get; set; } = [];

    public static IndexData Of(NeighborIndex index)
    {
        var data = new IndexData
        {
            Algorithm = index.Algorithm,
            Metric = index.Metric.Kind,
            Power = index.Metric.Power,
            Features = index.Rows.Features,
            Values = index.Rows.Values.ToArray(),
            Ids = index.Rows.Ids,
        };
        index.Write(data);
        return data;
    }

    /// <summary>The index again. Costs a copy of the rows.</summary>
    /// <exception cref="InvalidDataException">Arrays do not fit each other.</exception>
    public NeighborIndex ToIndex()
    {
        string[] needed = Algorithm switch
        {
            NeighborAlgorithm.Hnsw => ["m", "efConstruction", "entry", "links"],
            NeighborAlgorithm.Ivf => ["parts", "rerank", "starts", "order", "centers", .. Numbers.GetValueOrDefault("parts") > 0 ? ["codebooks", "codes"] : Array.Empty<string>()],
            _ => [],
        };
        if (Array.Find(needed, name => !Numbers.ContainsKey(name) && !Ints.ContainsKey(name) && !Floats.ContainsKey(name) && !Bytes.ContainsKey(name)) is { } missing)
            throw new InvalidDataException($"'{missing}' of the {Algorithm} index is missing.");
        var rows = RowSet.Of(Values, Features, Ids);
        var metric = new Metric(Metric, Power);
        return Algorithm switch
        {
            NeighborAlgorithm.BallTree => new BallTreeIndex(rows, metric),
            NeighborAlgorithm.Hnsw => HnswIndex.Read(rows, metric, this),
            NeighborAlgorithm.Ivf => IvfIndex.Read(rows, metric, this),
            _ => new ExactIndex(rows, metric),
        };
    }

    /// <summary>Labels that were saved beside an index, one a row.</summary>
    /// <exception cref="InvalidDataException">There are more or fewer, or some are no numbers.</exception>
    public static double[] LoadLabels(ModelFolder folder, NeighborIndex index)
    {
        var labels = folder.ReadArray<double>("labels");
        if (labels.Length != index.Rows.Count) throw new InvalidDataException($"There are {labels.Length:N0} labels and {index.Rows.Count:N0} rows.");
        if (labels.Length == 0 || index.Rows.Ids[0] != 0 || index.Rows.Ids[^1] != labels.Length - 1) throw new InvalidDataException("The rows of a learner are not numbered from 0.");
        if (Array.FindIndex(labels, label => !double.IsFinite(label)) is var bad && bad >= 0) throw new InvalidDataException($"Label {bad} is {labels[bad]}.");
        return labels;
    }

    public void Save(ModelFolder folder)
    {
        folder.Set("algorithm", Algorithm);
        folder.Set("metric", Metric);
        folder.Set("power", Power);
        folder.Set("features", Features);
        folder.Set("numbers", Numbers);
        folder.Set("ints", Ints.Keys.ToArray());
        folder.Set("floats", Floats.Keys.ToArray());
        folder.Set("bytes", Bytes.Keys.ToArray());
        folder.WriteArray<float>("rows", Values, Features);
        folder.WriteArray<long>("ids", Ids);
        foreach (var (name, values) in Ints) folder.WriteArray<int>(name, values);
        foreach (var (name, values) in Floats) folder.WriteArray<float>(name, values);
        foreach (var (name, values) in Bytes) folder.WriteArray<byte>(name, values);
    }

    public static IndexData Load(ModelFolder folder) => new()
    {
        Algorithm = folder.Get<NeighborAlgorithm>("algorithm"),
        Metric = folder.Get<DistanceMetric>("metric"),
        Power = folder.Get<double>("power"),
        Features = folder.Get<int>("features"),
        Numbers = folder.Get<Dictionary<string, int>>("numbers"),
        Values = folder.ReadArray<float>("rows"),
        Ids = folder.ReadArray<long>("ids"),
        Ints = folder.Get<string[]>("ints").ToDictionary(name => name, folder.ReadArray<int>),
        Floats = folder.Get<string[]>("floats").ToDictionary(name => name, folder.ReadArray<float>),
        Bytes = folder.Get<string[]>("bytes").ToDictionary(name => name, folder.ReadArray<byte>),
    };
}
