using System.Diagnostics;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.Kafka;

/// <summary>
/// Plans, on the driver, which offsets each batch reads. Where partitions begin is written into the checkpoint when they are first seen, and again when
/// something was passed over, before anything of them is given.
/// </summary>
internal sealed class KafkaStreamReader : IStreamReader
{
    private readonly KafkaSource _source;
    private readonly KafkaSourceOptions _options;
    private readonly DurableLog _log;
    private readonly KafkaBrokers _brokers;
    private readonly KafkaPlace _beginnings = [];
    private readonly HashSet<KafkaPartition> _gone = [];
    private long _entries;
    private List<KafkaPartition> _partitions = [];
    private long _lookedAt = -1;

    // Whether the last look left messages for the next.
    private bool _isFull;

    public KafkaStreamReader(KafkaSource source, DurableLog log)
    {
        (_source, _options, _log) = (source, source.Options, log);
        foreach (var number in log.Numbers())
        {
            if (number != _entries) throw log.Missing(_entries);
            foreach (var (partition, offset) in KafkaPlace.Parse(log.Read<string>(number))) _beginnings[partition] = offset;
            _entries++;
        }
        _brokers = new KafkaBrokers(_options, KafkaSettings.Consumer(_options.Servers, _options.Settings));
    }

    public string? Problem => _brokers.Problem;

    public async ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellationToken) =>
        await Task.Run(() => FindEnd(start, Math.Min(mostRows, _options.MaxOffsetsPerTrigger), isAhead: false, cancellationToken), cancellationToken).ConfigureAwait(false);

    // Where the batch before left nothing, there is hardly enough for another.
    public async ValueTask<string?> FindSettledEndAsync(string? start, long mostRows, CancellationToken cancellationToken) => !_isFull ? start
        : await Task.Run(() => FindEnd(start, Math.Min(mostRows, _options.MaxOffsetsPerTrigger), isAhead: true, cancellationToken), cancellationToken).ConfigureAwait(false);

    public ITable Read(string? start, string end)
    {
        var (from, until) = (KafkaPlace.Parse(start), KafkaPlace.Parse(end));
        var ranges = new List<KafkaRange>();
        foreach (var (partition, offset) in until)
        {
            if (!from.TryGetValue(partition, out var first) && !_beginnings.TryGetValue(partition, out first)) throw _log.Missing(_entries);

            // Behind what was passed over; of a topic that was made again, at its beginning.
            if (_beginnings.TryGetValue(partition, out var beginning) && (beginning > first || first > offset)) first = beginning;
            if (offset > first) ranges.Add(new(partition, first, offset));
        }
        return new KafkaTable(_source, ranges);
    }

    public void Dispose() => _brokers.Dispose();

    private string? FindEnd(string? start, long most, bool isAhead, CancellationToken cancellation)
    {
        _isFull = false;
        if (_lookedAt < 0 || Stopwatch.GetElapsedTime(_lookedAt) >= _options.DiscoveryInterval)
        {
            _partitions = _brokers.Partitions(cancellation);
            _lookedAt = Stopwatch.GetTimestamp();
        }

        // Before the ends are asked for: what a time finds is not behind them then.
        var since = _entries > 0 ? [] : KafkaSource.Since(_options.Starting, _partitions, _brokers, cancellation);
        var ends = _brokers.Ends(_partitions, cancellation);
        Note(ends, since, cancellation);
        var place = KafkaPlace.Parse(start);
        foreach (var partition in place.Keys.Where(each => !ends.ContainsKey(each) && _options.Partitions.Count == 0 && _brokers.IsWanted(each.Topic)).ToArray())
        {
            if (!_gone.Contains(partition)) _gone.Add(Lose(new(partition, place[partition], 0, 0)));
        }
        var next = new KafkaPlace(place);
        foreach (var (partition, _) in ends) next.TryAdd(partition, _beginnings[partition]);
        var changed = ends.Where(each => each.Value != next[each.Key]).Select(each => each.Key).ToArray();
        if (changed.Length == 0) return start;

        var firsts = _brokers.Firsts(changed, cancellation);
        var extents = changed.ToDictionary(partition => partition, partition => new KafkaExtent(Math.Min(firsts[partition], ends[partition]), ends[partition]));
        _isFull = changed.Sum(partition => (decimal)extents[partition].End - extents[partition].From(next[partition])) > most;
        if (isAhead && !_isFull) return start;
        var isNew = false;
        var passed = new KafkaPlace();
        foreach (var (partition, end) in KafkaShares.Ends(next, extents, most, gap => passed[Lose(gap)] = gap.First))
        {
            isNew |= end != next[partition];
            next[partition] = end;
        }
        if (passed.Count > 0) Note(passed);
        return isNew ? next.ToString() : start;
    }

    // Of a query that begins: where its options say. Later: at the beginning.
    private void Note(Dictionary<KafkaPartition, long> ends, Dictionary<KafkaPartition, long> since, CancellationToken cancellation)
    {
        var unknown = ends.Keys.Where(partition => !_beginnings.ContainsKey(partition)).ToArray();
        if (unknown.Length == 0 && _entries > 0) return;
        var firsts = _brokers.Firsts(unknown, cancellation);
        var found = new KafkaPlace();
        foreach (var partition in unknown)
        {
            found[partition] = _entries > 0 ? firsts[partition] : KafkaSource.At(_options.Starting, partition, firsts[partition], firsts, ends, since);
        }
        Note(found);
    }

    private void Note(KafkaPlace beginnings)
    {
        _log.Write(_entries++, beginnings.ToString());
        foreach (var (partition, offset) in beginnings) _beginnings[partition] = offset;
    }

    private KafkaPartition Lose(KafkaGap gap)
    {
        if (_options.DataLoss == KafkaDataLoss.Fail) throw KafkaTable.Lost(gap);
        _options.OnGap?.Invoke(gap);
        return gap.Partition;
    }
}

/// <summary>How much of each partition a batch takes.</summary>
internal static class KafkaShares
{
    /// <summary>The new ends of partitions that have something new.</summary>
    /// <param name="place">Up to where was read.</param>
    /// <param name="extents">What partitions have.</param>
    /// <param name="most">So many offsets in all, at least one.</param>
    /// <param name="lose">Told of gaps; may throw.</param>
    public static IEnumerable<(KafkaPartition Partition, long End)> Ends(
        IReadOnlyDictionary<KafkaPartition, long> place, IReadOnlyDictionary<KafkaPartition, KafkaExtent> extents, long most, Action<KafkaGap> lose)
    {
        var ranges = new List<KafkaRange>();
        foreach (var (partition, extent) in extents.OrderBy(each => each.Key))
        {
            var from = place[partition];
            if (from < extent.First || from > extent.End) lose(new(partition, from, extent.First, extent.End));
            ranges.Add(new(partition, extent.From(from), extent.End));
        }
        var all = ranges.Sum(range => (decimal)range.Count);
        var left = most;
        foreach (var range in ranges.OrderByDescending(range => range.Count))
        {
            // By how much each has. Those that wait longest come first: where there is not one for each, nobody waits for ever.
            var share = all <= most ? range.Count : Math.Min(left, Math.Max(1, (long)(range.Count * (decimal)most / all)));
            share = Math.Min(share, range.Count);
            left -= share;
            if (share > 0 || range.From != place[range.Partition]) yield return (range.Partition, range.From + share);
        }
    }
}
