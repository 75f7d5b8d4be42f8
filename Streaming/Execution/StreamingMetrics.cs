using System.Diagnostics.Metrics;

namespace Dataflow.Streaming.Execution;

/// <summary>Figures of queries for <c>dotnet-counters</c> and OpenTelemetry: the meter <c>Dataflow.Streaming</c>, with the query's name as tag <c>query</c>.</summary>
internal static class StreamingMetrics
{
    private static readonly Meter Meter = new("Dataflow.Streaming");
    private static readonly Counter<long> Batches = Meter.CreateCounter<long>("dataflow.streaming.batches", "{batch}", "Batches that are done.");
    private static readonly Counter<long> Rows = Meter.CreateCounter<long>("dataflow.streaming.rows", "{row}", "Rows that sources gave.");
    private static readonly Counter<long> Late = Meter.CreateCounter<long>("dataflow.streaming.late_rows", "{row}", "Rows or groups that came too late.");
    private static readonly Histogram<double> Durations = Meter.CreateHistogram<double>("dataflow.streaming.batch.duration", "s", "How long batches took.");
    private static readonly Gauge<long> StateRows = Meter.CreateGauge<long>("dataflow.streaming.state_rows", "{row}", "Rows or groups in state.");
    private static readonly Gauge<double> Lag = Meter.CreateGauge<double>("dataflow.streaming.watermark_lag", "s", "How far the watermark is behind the time of the batch.");

    /// <summary>Notes a batch.</summary>
    public static void Note(string query, StreamingProgress progress)
    {
        var tag = new KeyValuePair<string, object?>("query", query);
        Batches.Add(1, tag);
        Rows.Add(progress.InputRows, tag);
        Late.Add(progress.LateRows, tag);
        Durations.Record(progress.Duration.TotalSeconds, tag);
        StateRows.Record(progress.StateRows, tag);
        if (progress.Watermark is { } watermark) Lag.Record((progress.Timestamp - watermark).TotalSeconds, tag);
    }
}
