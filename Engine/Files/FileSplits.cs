using Dataflow.Compression;

namespace Dataflow.Files;

/// <summary>How files become partitions.</summary>
/// <param name="MinPartitions">How many partitions at least, if there are enough bytes; 0 leaves it to the other limits.</param>
/// <param name="MaxPartitionBytes">Most bytes of a partition, unless one file that can't be cut has more.</param>
/// <param name="OpenCostBytes">What opening a file costs, in bytes that could be read in that time. It keeps a partition of tiny files short.</param>
/// <param name="Parallelism">Partitions wanted when <paramref name="MinPartitions"/> is 0: smaller ones than this gives are not worth it.</param>
/// <param name="Alignment">Pieces begin at multiples of this many bytes: the length of a record.</param>
internal sealed record FileSplits(int MinPartitions, long MaxPartitionBytes, long OpenCostBytes, int Parallelism, int Alignment = 1)
{
    /// <summary>Whether files stay whole.</summary>
    public bool Whole { get; init; }

    /// <summary>Whether the extension of a file says that its bytes are compressed; they are read as they are otherwise.</summary>
    public bool Decompress { get; init; }

    /// <summary>Cuts large files into even pieces and puts small ones together, keeping their order: partitions in order give the elements
    /// in the order of the files.</summary>
    public Partition[] Plan(IReadOnlyList<FileEntry> files)
    {
        var pieces = Pieces(files);
        var total = pieces.Sum(Weight);
        var limit = Math.Min(MaxPartitionBytes + OpenCostBytes, Share(total, MinPartitions > 0 ? MinPartitions : Parallelism));

        // Without a wish of the user's, a partition is worth a task only from some size on.
        if (MinPartitions == 0) limit = Math.Max(limit, 2 * OpenCostBytes);

        var hosts = new HostVotes(files);
        var partitions = new List<Partition>();
        var current = new List<FileSlice>();
        var weight = 0L;
        foreach (var piece in pieces)
        {
            if (current.Count > 0 && weight + Weight(piece) > limit)
            {
                partitions.Add(new FilePartition(partitions.Count, [.. current], hosts.For(current)));
                current.Clear();
                weight = 0;
            }
            current.Add(piece);
            weight += Weight(piece);
        }
        if (current.Count > 0) partitions.Add(new FilePartition(partitions.Count, [.. current], hosts.For(current)));
        return [.. partitions];
    }

    private static long Share(long total, int parts) => Math.Max(1, (total + parts - 1) / parts);

    private long Weight(FileSlice piece) => piece.Length + OpenCostBytes;

    private List<FileSlice> Pieces(IReadOnlyList<FileEntry> files)
    {
        var total = files.Sum(static file => file.Length);
        var piece = MinPartitions > 0
            ? Share(total, MinPartitions)
            : Math.Max(OpenCostBytes, Share(total + files.Count * OpenCostBytes, Parallelism));
        piece = Math.Min(piece, MaxPartitionBytes);

        var pieces = new List<FileSlice>();
        foreach (var file in files)
        {
            var compressed = Decompress && CompressedStreams.IsCompressed(file.Path);

            // An empty file is a piece too: one that has grown by the time it is read must be noticed.
            var count = Whole || compressed || file.Length == 0 ? 1 : (file.Length + piece - 1) / piece;
            var start = 0L;
            for (var i = 1L; i <= count; i++)
            {
                var end = i == count ? file.Length : (long)((Int128)file.Length * i / count) / Alignment * Alignment;
                if (end == start && count > 1) continue;
                pieces.Add(new FileSlice(file.Path, start, end - start, file.Length, compressed));
                start = end;
            }
        }
        return pieces;
    }

    /// <summary>Which hosts hold most bytes of a partition.</summary>
    private sealed class HostVotes(IReadOnlyList<FileEntry> files)
    {
        private const int Most = 3;

        private readonly Dictionary<string, IReadOnlyList<BlockLocation>> _blocks = files
            .Select(static file => (file.Path, Blocks: FileSystems.For(file.Path).BlocksOf(file)))
            .Where(static pair => pair.Blocks.Count > 0)
            .ToDictionary(static pair => pair.Path, static pair => pair.Blocks, StringComparer.Ordinal);

        public string[] For(List<FileSlice> slices)
        {
            if (_blocks.Count == 0) return [];
            var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var slice in slices)
            {
                foreach (var block in _blocks.GetValueOrDefault(slice.Path) ?? [])
                {
                    var shared = Math.Min(slice.Offset + slice.Length, block.Offset + block.Length) - Math.Max(slice.Offset, block.Offset);
                    if (shared <= 0) continue;
                    foreach (var host in block.Hosts) bytes[host] = bytes.GetValueOrDefault(host) + shared;
                }
            }
            return [.. bytes.OrderByDescending(static pair => pair.Value).ThenBy(static pair => pair.Key, StringComparer.Ordinal).Take(Most).Select(static pair => pair.Key)];
        }
    }
}
