using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>The rows of a graph, as bytes if they are fine enough, else as floats: chooses which loops run.</summary>
internal sealed unsafe class GraphStore
{
    private readonly ByteRows? _bytes;
    private readonly FloatRows? _floats;

    public GraphStore(RowSet rows, DistanceMetric kind, int threads)
    {
        Rows = rows;
        _bytes = ByteRows.TryMake(rows, kind, threads);
        if (_bytes is null) _floats = new FloatRows(rows, kind);
    }

    public RowSet Rows { get; }

    public bool IsBytes => _bytes is not null;

    /// <summary>Room for the point of a kernel: floats or shorts of one row.</summary>
    public AlignedFloats NewPoint() => new(Rows.Features + 32);

    public ByteKernel Bytes(AlignedFloats point) => new(_bytes!, (short*)point.Pointer);

    public FloatKernel Floats(AlignedFloats point) => new(_floats!, point.Pointer);

    /// <summary>Makes a query the point.</summary>
    public void Aim(AlignedFloats point, ReadOnlySpan<float> query, double norm)
    {
        if (_floats is not null)
        {
            _floats.Set(query, norm, point.Span);
            return;
        }
        var rounded = (stackalloc sbyte[_bytes!.Stride]);
        rounded.Clear();
        _bytes.Round(query, norm, rounded);
        for (var i = 0; i < rounded.Length; i++) ((short*)point.Pointer)[i] = rounded[i];
    }

    /// <summary>Puts nodes into a graph.</summary>
    /// <returns>The entry.</returns>
    public int Build(LinkLists links, int[] nodes, int there, int entry, int efConstruction, int threads)
    {
        var points = new List<AlignedFloats>();
        if (IsBytes)
        {
            var builder = new GraphBuilder<ByteKernel>(links, efConstruction, threads, () => Bytes(Keep(NewPoint()))) { Entry = entry };
            builder.Add(nodes, Rows.Ids, there);
            builder.Finish();
            entry = builder.Entry;
        }
        else
        {
            var builder = new GraphBuilder<FloatKernel>(links, efConstruction, threads, () => Floats(Keep(NewPoint()))) { Entry = entry };
            builder.Add(nodes, Rows.Ids, there);
            builder.Finish();
            entry = builder.Entry;
        }
        GC.KeepAlive(points);
        return entry;

        AlignedFloats Keep(AlignedFloats point)
        {
            points.Add(point);
            return point;
        }
    }
}
