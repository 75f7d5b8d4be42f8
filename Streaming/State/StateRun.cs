using Dataflow.Files;

namespace Dataflow.Streaming.State;

/// <summary>
/// Groups that were put away, as they no longer fit into memory: a file of frames, each of one span of times and one share of the hashes, and where they lie. Nothing of it
/// is read until a share is asked for; the file is open from then on until <see cref="Rest"/>.
/// </summary>
/// <remarks>What a group had since it was put away lies elsewhere: its states have to be merged.</remarks>
internal sealed class StateRun
{
    /// <summary>Shares that groups are told apart by: so much of a span is in memory at once when it is given.</summary>
    public const int Shares = 64;

    private readonly string _path;
    private readonly Dictionary<long, List<RunFrame>> _frames = [];
    private readonly HashSet<long> _dead = [];
    private StateFile.Reader? _open;

    private StateRun(string path) => _path = path;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ended">Spans that are gone since.</param>
    /// <param name="drops">Gets the spans of older files that were gone when it was written.</param>
    public static StateRun Open(string path, HashSet<long> ended, HashSet<long> drops)
    {
        var run = new StateRun(path);
        foreach (var (kind, span, bytes) in StateFile.ReadIndex(path))
        {
            if (kind == StateFile.Dropped) drops.Add(span);
            else run.Add(span, bytes.Span);
        }
        foreach (var span in run._frames.Keys.Where(ended.Contains)) run._dead.Add(span);
        return run;
    }

    /// <summary>The share of a hash: by bits that neither place rows in partitions nor in tables.</summary>
    public static int ShareOf(ulong hash) => (int)(hash >> 24) & (Shares - 1);

    /// <summary>The spans that are not gone.</summary>
    public IEnumerable<long> Spans => _frames.Keys.Where(span => !_dead.Contains(span));

    /// <summary>The spans that are gone.</summary>
    public IReadOnlyCollection<long> Dead => _dead;

    /// <summary>Whether it has groups of a span.</summary>
    public bool Has(long span) => _frames.ContainsKey(span) && !_dead.Contains(span);

    /// <summary>Groups of a span.</summary>
    public long CountOf(long span) => Has(span) ? _frames[span].Sum(frame => (long)frame.Rows) : 0;

    /// <summary>Forgets a span.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Drop(long span) => _frames.ContainsKey(span) && _dead.Add(span);

    /// <summary>Whether it has groups of a share of a span.</summary>
    public bool Has(long span, int share) => Has(span) && _frames[span].Exists(frame => frame.Share == share);

    /// <summary>The frames of a share of a span, each lent until the next.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Read(long span, int share)
    {
        if (!Has(span)) yield break;
        foreach (var frame in _frames[span])
        {
            if (frame.Share == share) yield return (_open ??= new StateFile.Reader(_path)).At(frame.Offset);
        }
    }

    /// <summary>Closes the file: nothing is read for now.</summary>
    public void Rest()
    {
        _open?.Dispose();
        _open = null;
    }

    private void Add(long span, ReadOnlySpan<byte> bytes)
    {
        var frame = RunFrame.Of(bytes);
        if (!_frames.TryGetValue(span, out var frames)) _frames.Add(span, frames = []);
        frames.Add(frame);
    }
}

/// <summary>Where a frame of a run lies.</summary>
/// <param name="Share">Which share of the hashes it has.</param>
/// <param name="Rows">How many groups.</param>
/// <param name="Offset">Where its record begins in the file.</param>
internal readonly record struct RunFrame(int Share, int Rows, long Offset)
{
    public static RunFrame Of(ReadOnlySpan<byte> bytes) => new(BitConverter.ToInt32(bytes), BitConverter.ToInt32(bytes[4..]), BitConverter.ToInt64(bytes[8..]));

    public byte[] ToBytes() => [.. BitConverter.GetBytes(Share), .. BitConverter.GetBytes(Rows), .. BitConverter.GetBytes(Offset)];
}
