using System.Diagnostics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;
using static Dataflow.Streaming.Kafka.Librdkafka;

namespace Dataflow.Streaming.Kafka;

/// <summary>
/// Reads ranges of offsets in a task, one after the other and in order, so that the same ranges give the same rows in the same order each time. The next few are fetched meanwhile.
/// </summary>
internal sealed unsafe class KafkaBatches : BatchReader
{
    private const int Ahead = 4;
    private const int WaitMs = 20;

    // What librdkafka holds of a message is some 300 bytes more than the message, and what it has fetched ahead is in nobody's budget. Partitions from which much comes at once are left open only so far;
    // where little comes, little is fetched ahead.
    private const int MuchAtOnce = 8192;
    private const int MostOpen = 16;

    private readonly KafkaScan _scan;
    private readonly ValueList<KafkaRange> _ranges;
    private readonly TaskContext _context;
    private readonly TaskArena _arena;
    private readonly KafkaColumns _columns;
    private readonly ColumnBatch _batch;
    private readonly KafkaMessage*[] _messages = new KafkaMessage*[ColumnBatch.MaxRows];
    private KafkaConsumer? _consumer;
    private int _range;
    private int _started;
    private long _next;
    private bool _isBroken = true;

    public KafkaBatches(KafkaScan scan, ValueList<KafkaRange> ranges, ValueList<int> fields, TaskContext context)
    {
        (_scan, _ranges, _context) = (scan, ranges, context);
        _arena = new TaskArena(context, "Kafka scan");
        _columns = new KafkaColumns(_arena, fields);
        _batch = new ColumnBatch(_columns.Columns);
        _consumer = KafkaConsumer.Free.Rent(scan.Settings, each => each.IsAt(ranges[0].Partition, ranges[0].From));
        _next = ranges[0].From;
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        batch = _batch;
        while (_range < _ranges.Count)
        {
            Start();
            var range = _ranges[_range];
            var rows = Fill(range);
            if (_next >= range.Until) End(range);
            if (rows == 0) continue;
            _columns.End(rows, range.Partition);
            _batch.Set(rows);
            return true;
        }
        _isBroken = false;
        return false;
    }

    public override void Dispose()
    {
        if (_consumer is { } consumer)
        {
            // A task that was given up leaves it in the middle of something.
            if (_isBroken) consumer.Dispose();
            else KafkaConsumer.Free.Return(consumer, _scan.Settings);
            _consumer = null;
        }
        _arena.Dispose();
        base.Dispose();
    }

    // The parts of a partition that one task reads follow each other: the next begins when the one before has ended, which is where it is then.
    private void Start()
    {
        for (; _started < Math.Min(_range + Ahead, _ranges.Count); _started++)
        {
            if (_started > _range && _ranges[_started].Partition == _ranges[_started - 1].Partition) break;
            _consumer!.Start(_ranges[_started].Partition, _ranges[_started].From);
        }
    }

    private void End(KafkaRange range)
    {
        _consumer!.Move(range.Partition, _next);
        if (_next > range.Until || (range.Count > MuchAtOnce && _consumer.Open > MostOpen)) _consumer.Stop(range.Partition);
        _range++;
        if (_range >= _ranges.Count) return;
        _next = _ranges[_range].From;
    }

    private int Fill(KafkaRange range)
    {
        _columns.Clear();
        var rows = 0;
        var quiet = Stopwatch.GetTimestamp();
        var topic = _consumer!.Client.Topic(range.Partition.Topic);
        while (rows < ColumnBatch.MaxRows && _next < range.Until)
        {
            _context.CancellationToken.ThrowIfCancellationRequested();
            var wanted = (nint)Math.Min(ColumnBatch.MaxRows - rows, range.Until - _next);
            nint count;
            fixed (KafkaMessage** messages = _messages)
            {
                count = rd_kafka_consume_batch(topic, range.Partition.Partition, WaitMs, messages, wanted);
                if (count > 0) rows += Take(messages, (int)count, rows, range);
            }
            if (count > 0) quiet = Stopwatch.GetTimestamp();
            else if (count == 0) _consumer.Wake(range.Partition);
            while (_consumer.Client.Poll(0)) { }
            if (count < 0 || Stopwatch.GetElapsedTime(quiet) > _scan.Timeout || _consumer.Client.IsRefused) throw Silent(range, count < 0 ? KafkaClient.Describe(rd_kafka_last_error()) : null);
        }
        return rows;
    }

    // Messages, up to the range's end or the first of them that is an error.
    private int Take(KafkaMessage** messages, int count, int row, KafkaRange range)
    {
        var taken = 0;
        try
        {
            for (var at = 0; at < count;)
            {
                // Of a place that was read before: not wanted any more.
                if (messages[at]->Error == KafkaError.None && messages[at]->Offset < _next)
                {
                    at++;
                    continue;
                }
                var good = at;
                while (good < count && messages[good]->Error == KafkaError.None && messages[good]->Offset < range.Until) good++;
                if (good > at)
                {
                    _columns.Add(messages + at, good - at, row + taken);
                    taken += good - at;
                    _next = messages[good - 1]->Offset + 1;
                    Count(messages, at, good);
                }
                if (good < count && Other(messages[good], range)) break;
                at = good + 1;
            }
            return taken;
        }
        finally
        {
            for (var i = 0; i < count; i++) rd_kafka_message_destroy(messages[i]);
        }
    }

    private void Count(KafkaMessage** messages, int from, int until)
    {
        var bytes = 0L;
        for (var i = from; i < until; i++) bytes += messages[i]->Length + messages[i]->KeyLength;
        _context.Metrics.InputBytes += bytes;
    }

    /// <returns>Whether it reads from elsewhere now, and what was fetched before is not wanted.</returns>
    private bool Other(KafkaMessage* message, KafkaRange range)
    {
        switch (message->Error)
        {
            // Offsets at the end may have no message: of transactions, and of topics that keep the last message of a key.
            case KafkaError.None:
            case KafkaError.EndOfPartition when message->Offset >= range.Until:
                _next = Math.Max(_next, message->Error == KafkaError.None ? message->Offset + 1 : message->Offset);
                break;
            case KafkaError.EndOfPartition:
                break;
            case KafkaError.AutoOffsetReset or KafkaError.OffsetOutOfRange or KafkaError.NoOffset:
                PassOver(range);
                return true;
            case KafkaError.TopicAuthorizationFailed or KafkaError.GroupAuthorizationFailed or KafkaError.ClusterAuthorizationFailed or KafkaError.UnknownTopicOrPartition
                or KafkaError.UnknownTopic or KafkaError.UnknownPartition:
                throw Silent(range, KafkaClient.Describe(message->Error));
            default:
                // Links that broke, leaders that moved: librdkafka tries again.
                break;
        }
        return false;
    }

    private void PassOver(KafkaRange range)
    {
        using var brokers = new KafkaBrokers(new KafkaSourceOptions { Servers = _scan.Servers, Topics = [range.Partition.Topic], Timeout = _scan.Timeout }, _scan.Settings);
        var first = brokers.Firsts([range.Partition], _context.CancellationToken)[range.Partition];
        var end = brokers.Ends([range.Partition], _context.CancellationToken)[range.Partition];
        _consumer!.Stop(range.Partition);

        // What is told may be of a place that was read before: then it is where it should be, and begins anew.
        if (first > _next || end < _next)
        {
            if (_scan.DataLoss == KafkaDataLoss.Fail) throw KafkaTable.Lost(new(range.Partition, _next, first, end));
            _next = first > _next && first < range.Until ? first : range.Until;
        }
        if (_next < range.Until) _consumer.Start(range.Partition, _next);
    }

    private StreamingException Silent(KafkaRange range, string? error) => new(_consumer!.Client.IsRefused ? "KAFKA_REFUSED" : "KAFKA_READ",
        $"{range.Partition} gave no message at offset {_next} (of {range.From} to {range.Until - 1}) within {_scan.Timeout.TotalSeconds:0.#} s, at {_scan.Servers}: {error ?? "no broker answered"}."
        + (_consumer.Client.LastError.Length == 0 ? "" : $" The last thing that went wrong: {_consumer.Client.LastError}.") + " Check that the brokers run and can be reached from this machine.");
}
