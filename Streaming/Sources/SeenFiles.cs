using Dataflow.Files;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.Sources;

/// <summary>
/// Which files a query has found, in the order of its looks, in its checkpoint. The list is bounded: files that were changed long before the newest one are forgotten when their batch is
/// done, and nothing that old is new any more.
/// </summary>
/// <remarks>An entry a look. When <see cref="LooksOfChunk"/> of them are done they become one, a <em>chunk</em> in a log of its own, which has with it up to when files count as old from then
/// on; it goes as a whole when all in it are older. So nothing is written twice. The last chunk stays, as it says with which look the entries go on.</remarks>
internal sealed class SeenFiles
{
    /// <summary>Looks of a chunk, at least.</summary>
    internal const int LooksOfChunk = 100;

    private readonly DurableLog _log;
    private readonly DurableLog _chunks;
    private readonly TimeSpan _maxAge;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, DateTimeOffset> _seen = new(StringComparer.Ordinal);
    private readonly List<FileEntry[]> _looks = [];
    private readonly List<(long Number, DateTimeOffset Newest)> _kept = [];
    private DateTimeOffset _newest = DateTimeOffset.MinValue;

    /// <param name="log">The entries; chunks are in a folder in it.</param>
    /// <param name="maxAge">How much older than the newest one files may be.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <exception cref="StreamingException">An entry is missing or damaged.</exception>
    public SeenFiles(DurableLog log, TimeSpan maxAge, TimeProvider? time = null)
    {
        (_log, _chunks, _maxAge, _time) = (log, new DurableLog(FilePath.Combine(log.Folder, "chunks")), maxAge, time ?? TimeProvider.System);
        foreach (var number in _chunks.Numbers())
        {
            var chunk = _chunks.Read<Chunk>(number);
            if (Threshold is not { } last || chunk.Threshold > last) Threshold = chunk.Threshold;
            FileEntry[] files = [.. chunk.Files.Select(EntryOf)];
            Remember(files);
            _kept.Add((number, NewestOf(files)));
            Done = (int)number;
        }
        foreach (var number in _log.Numbers())
        {
            // The process ended between the chunk and the end of its entries.
            if (number < Done) continue;
            if (number != Looks) throw _log.Missing(Looks);
            Note([.. _log.Read<FoundFile[]>(number).Select(EntryOf)]);
        }
        Forget();
    }

    /// <summary>How many looks found something.</summary>
    public int Looks => Done + _looks.Count;

    /// <summary>Looks whose files nobody asks for again.</summary>
    public int Done { get; private set; }

    /// <summary>Files that were changed before it are not new; null before the first chunk.</summary>
    public DateTimeOffset? Threshold { get; private set; }

    /// <summary>How many files were forgotten since the start.</summary>
    public long Forgotten { get; private set; }

    /// <summary>Whether a file was found already, or is too old to be remembered.</summary>
    public bool Contains(FileEntry file) => file.Modified < Threshold || _seen.ContainsKey(file.Path);

    /// <summary>Whether a file was changed so long ago that it would not be remembered.</summary>
    public bool IsTooOld(FileEntry file) => file.Modified < Threshold && !_seen.ContainsKey(file.Path);

    /// <summary>Writes down what a look found.</summary>
    public void Add(FileEntry[] files)
    {
        _log.Write(Looks, files.Select(Found).ToArray());
        Note(files);
    }

    /// <summary>Sees that what batches have read is known.</summary>
    /// <exception cref="StreamingException">The newest entries are missing.</exception>
    public void CheckUpTo(int looks)
    {
        if (looks > Looks) throw _log.Missing(looks - 1);
    }

    /// <summary>The files of some looks, in order.</summary>
    /// <exception cref="StreamingException">They are not there.</exception>
    public IEnumerable<FileEntry> Between(int start, int end) =>
        start >= Done && end <= Looks ? _looks[(start - Done)..(end - Done)].SelectMany(files => files) : throw _log.Missing(start < Done ? start : Looks);

    /// <summary>The batches that read the files of the first looks are done.</summary>
    public void Finish(int looks)
    {
        var count = looks - Done;
        if (count < LooksOfChunk) return;
        var files = _looks[..count].SelectMany(each => each).ToArray();
        var threshold = ThresholdOf(_newest);
        _chunks.Write(looks, new Chunk(threshold, [.. files.Select(Found)]));
        _looks.RemoveRange(0, count);
        (Threshold, Done) = (threshold, looks);
        _kept.Add((looks, NewestOf(files)));
        _log.DropBelow(looks);
        Forget();
    }

    // A file of the future says nothing of the age of others. What was forgotten once stays so.
    private DateTimeOffset ThresholdOf(DateTimeOffset newest)
    {
        var now = _time.GetUtcNow();
        var last = newest < now ? newest : now;
        var threshold = last - DateTimeOffset.MinValue > _maxAge ? last - _maxAge : DateTimeOffset.MinValue;
        return threshold < Threshold ? Threshold.Value : threshold;
    }

    private void Forget()
    {
        if (Threshold is not { } threshold) return;
        foreach (var (path, modified) in _seen)
        {
            if (modified >= threshold || !_seen.Remove(path)) continue;
            Forgotten++;
        }
        foreach (var chunk in _kept.SkipLast(1).Where(chunk => chunk.Newest < threshold).ToArray())
        {
            _chunks.Drop(chunk.Number);
            _kept.Remove(chunk);
        }
    }

    private void Note(FileEntry[] files)
    {
        _looks.Add(files);
        Remember(files);
    }

    private void Remember(IEnumerable<FileEntry> files)
    {
        foreach (var file in files)
        {
            _seen[file.Path] = file.Modified;
            if (file.Modified > _newest) _newest = file.Modified;
        }
    }

    private static DateTimeOffset NewestOf(IEnumerable<FileEntry> files) => files.Select(file => file.Modified).DefaultIfEmpty(DateTimeOffset.MinValue).Max();

    private static FoundFile Found(FileEntry file) => new(file.Path, file.Length, file.Modified);

    private static FileEntry EntryOf(FoundFile file) => new(file.Path, file.Length, file.Modified);

    private sealed record FoundFile(string Path, long Length, DateTimeOffset Modified);

    // Its number is that of the look behind its last one.
    private sealed record Chunk(DateTimeOffset Threshold, FoundFile[] Files);
}
