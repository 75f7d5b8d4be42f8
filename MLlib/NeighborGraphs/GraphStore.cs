using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>The rows of a graph, as bytes if they are fine enough, else as floats: chooses which loops run.</summary>
internal sealed unsafe class GraphStore
{
    public GraphStore(RowSet rows, Metric metric, int threads)
    {
        Rows = rows;
        Kind = metric.Kind;
        Keys = new RankKeys(metric, rows.Features);
        Bytes = ByteRows.TryMake(rows, metric.Kind, threads);
        if (Bytes is null) Floats = new FloatRows(rows, metric.Kind);
    }

    public RowSet Rows { get; }

    public DistanceMetric Kind { get; }

    public RankKeys Keys { get; }

    /// <summary>Rows as bytes, or null.</summary>
    public ByteRows? Bytes { get; }

    /// <summary>Rows as floats where they are not bytes.</summary>
    public FloatRows? Floats { get; }

    /// <summary>Room for the point of a kernel: floats or shorts of one row.</summary>
    public AlignedFloats NewPoint() => new(Rows.Features + 32);

    /// <summary>Runs what is to be done with the kernel that suits.</summary>
    public void With<T>(T user)
        where T : struct, IKernelUser
    {
        if (Bytes is not null)
        {
            user.Use<ByteKernel>();
            return;
        }
        switch (Kind)
        {
            case DistanceMetric.Manhattan: user.Use<MetricKernel<ManhattanSum>>(); break;
            case DistanceMetric.Chebyshev: user.Use<MetricKernel<LargestDifference>>(); break;
            case DistanceMetric.Hamming: user.Use<MetricKernel<UnequalCount>>(); break;
            case DistanceMetric.Jaccard: user.Use<MetricKernel<JaccardPart>>(); break;
            case DistanceMetric.Minkowski: user.Use<PowerKernel>(); break;
            default: user.Use<FloatKernel>(); break;
        }
    }

    /// <summary>Makes a query the point.</summary>
    public void Aim(AlignedFloats point, ReadOnlySpan<float> query, double norm)
    {
        if (Floats is not null)
        {
            Floats.Set(query, norm, point.Span);
            return;
        }
        var rounded = (stackalloc sbyte[Bytes!.Stride]);
        rounded.Clear();
        Bytes.Round(query, norm, rounded);
        for (var i = 0; i < rounded.Length; i++) ((short*)point.Pointer)[i] = rounded[i];
    }

    /// <summary>Puts nodes into a graph.</summary>
    /// <returns>The entry.</returns>
    public int Build(LinkLists links, int[] nodes, int there, int entry, int efConstruction, int threads)
    {
        var building = new Building(this, links, nodes, there, [entry], efConstruction, threads);
        With(building);
        return building.Entry[0];
    }

    private readonly record struct Building(GraphStore Store, LinkLists Links, int[] Nodes, int There, int[] Entry, int EfConstruction, int Threads) : IKernelUser
    {
        public void Use<T>()
            where T : struct, IGraphKernel<T>
        {
            var points = new List<AlignedFloats>();
            var store = Store;
            var builder = new GraphBuilder<T>(Links, EfConstruction, Threads, NewKernel) { Entry = Entry[0] };
            builder.Add(Nodes, store.Rows.Ids, There);
            builder.Finish();
            Entry[0] = builder.Entry;
            GC.KeepAlive(points);

            T NewKernel()
            {
                points.Add(store.NewPoint());
                return T.Over(store, points[^1]);
            }
        }
    }
}
