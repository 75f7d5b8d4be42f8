using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Kafka;

/// <summary>Ranges of offsets as a table.</summary>
internal sealed class KafkaTable(KafkaSource source, IReadOnlyList<KafkaRange> ranges) : ITable
{
    private const long RowsOfTask = 1 << 16;

    public string Name => source.Name;

    public Schema Schema => source.Schema;

    // Offsets without a message (of transactions, of compacted topics) count as one.
    public TableStatistics Statistics { get; } = new(ranges.Sum(range => range.Count), -1);

    public ITableScan Scan(ScanRequest request)
    {
        var options = source.Options;
        return new KafkaScan(
            Cut(ranges, options.MinPartitions), request.Fields, options.Servers, KafkaSettings.Consumer(options.Servers, options.Settings), options.DataLoss, options.Timeout);
    }

    /// <summary>Shares ranges out over tasks: small ones together, and, to make as many tasks as are wanted, large ones in parts.</summary>
    public static KafkaSplit[] Cut(IReadOnlyList<KafkaRange> ranges, int least)
    {
        var all = ranges.Sum(range => range.Count);
        var target = least == 0 ? RowsOfTask : Math.Clamp(all / least, 1, RowsOfTask);
        var splits = new List<KafkaSplit>();
        var together = new List<KafkaRange>();
        var rows = 0L;
        foreach (var range in ranges)
        {
            // Without a wish a partition stays whole: who reads it reads on where it was.
            var parts = least == 0 ? 1 : Math.Max(1, (range.Count + target - 1) / target);
            for (var part = 0L; part < parts; part++)
            {
                var piece = range with { From = range.From + (long)((Int128)range.Count * part / parts), Until = range.From + (long)((Int128)range.Count * (part + 1) / parts) };
                if (rows > 0 && rows + piece.Count > target) End();
                together.Add(piece);
                rows += piece.Count;
            }
        }
        End();
        return [.. splits];

        void End()
        {
            if (together.Count > 0) splits.Add(new KafkaSplit([.. together], rows));
            together.Clear();
            rows = 0;
        }
    }

    public static StreamingException Lost(KafkaGap gap) => new("KAFKA_DATA_LOSS",
        $"Messages that were to be read are gone: {gap}. Brokers drop messages by age and size (retention.ms, retention.bytes). Let the query run more often or keep messages longer; "
        + "to go on without them, start it with DataLoss = KafkaDataLoss.Skip, and to read from the beginning, with another checkpoint.");
}

/// <summary>What one task reads.</summary>
internal sealed record KafkaSplit(ValueList<KafkaRange> Ranges, long Count) : TableSplit(Count, []);

/// <summary>Ranges of offsets, ready to be read by tasks.</summary>
internal sealed class KafkaScan(KafkaSplit[] splits, ValueList<int> fields, string servers, KafkaSetting[] settings, KafkaDataLoss dataLoss, TimeSpan timeout) : ITableScan
{
    public string Servers => servers;

    public KafkaSetting[] Settings => settings;

    public KafkaDataLoss DataLoss => dataLoss;

    public TimeSpan Timeout => timeout;

    public IReadOnlyList<TableSplit> Splits => splits;

    public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) => new KafkaBatches(this, ((KafkaSplit)split).Ranges, fields, context);
}
