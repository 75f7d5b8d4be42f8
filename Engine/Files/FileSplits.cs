using Dataflow.Compression;

namespace Dataflow.Files;

/// <summary>How files become partitions.</summary>
/// <param name="MinPartitions">How many partitions at least, if there are enough bytes; 0 leaves it to the other limits.</param>
/// <param name="MaxPartitionBytes">Most bytes of a partition, give or take a quarter, unless one file that can't be cut has more.</param>
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
        var most = MaxPartitionBytes + OpenCostBytes;

        // Without a wish of the user's, a partition is worth a task only from some size on.
        var wanted = MinPartitions > 0 ? MinPartitions : Math.Min(Parallelism, total / Math.Max(1, 2 * OpenCostBytes));
        wanted = Math.Max(wanted, (total + most - 1) / most);

        var hosts = new HostVotes(files);
        var partitions = new List<Partition>();
        var current = new List<FileSlice>();
        var (before, weight, share) = (0L, 0L, 0L);
        foreach (var piece in pieces)
        {
            // A piece goes to the share of the whole in which its middle lies: shares come out even, and none stays empty that need not. One may
            // be larger than the limit by part of a piece; where pieces are so large that it would be much more, it ends early.
            var own = (long)((2 * (Int128)before + Weight(piece)) * wanted / (2 * (Int128)total));
            if (current.Count > 0 && (own != share || weight + Weight(piece) > most + most / 4))
            {
                partitions.Add(new FilePartition(partitions.Count, [.. current], hosts.For(current)));
                current.Clear();
                weight = 0;
            }
            share = own;
            current.Add(piece);
            weight += Weight(piece);
            before += Weight(piece);
        }
        if (current.Count > 0) partitions.Add(new FilePartition(partitions.Count, [.. current], hosts.For(current)));
        return [.. partitions];
    }

    // One at least: an empty file with no cost of opening has to count too.
    private long Weight(FileSlice piece) => Math.Max(1, piece.Length + OpenCostBytes);

    private List<FileSlice> Pieces(IReadOnlyList<FileEntry> files)
    {
        var bytes = files.Sum(static file => file.Length);
        var length = Math.Min(MaxPartitionBytes, Math.Max(OpenCostBytes, (bytes + files.Count * OpenCostBytes) / Parallelism));
        if (MinPartitions > 0) length = MaxPartitionBytes;

        var pieces = new List<FileSlice>();
        foreach (var file in files)
        {
            var compressed = Decompress && CompressedStreams.IsCompressed(file.Path);

            // An empty file is a piece too: one that has grown by the time it is read must be noticed.
            var count = 1L;
            if (!Whole && !compressed && file.Length > 0)
            {
                count = (file.Length + length - 1) / Math.Max(1, length);
                if (MinPartitions > 0) count = Math.Max(count, Math.Min(file.Length, (long)(((Int128)file.Length * MinPartitions + bytes - 1) / bytes)));
            }
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
