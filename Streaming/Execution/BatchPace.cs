namespace Dataflow.Streaming.Execution;

/// <summary>How many rows a batch takes, so that it is done in the time that it should take.</summary>
internal sealed class BatchPace(StreamingQueryOptions options)
{
    private const long FirstRows = 10_000;
    private const long LeastRows = 100;

    // The part that the last batch has in what is known of the speed.
    private const double Weight = 0.3;
    private double _rowsPerSecond;

    /// <summary>Most rows of the next batch.</summary>
    public long MostRows
    {
        get
        {
            if (options.TargetBatchDuration is not { } target) return options.MaxRowsPerBatch;
            var wanted = _rowsPerSecond == 0 ? FirstRows : (long)Math.Min(_rowsPerSecond * target.TotalSeconds, long.MaxValue / 2);
            return Math.Min(Math.Max(wanted, LeastRows), options.MaxRowsPerBatch);
        }
    }

    /// <summary>Notes how fast a batch was.</summary>
    public void Note(long rows, TimeSpan duration)
    {
        if (rows == 0 || duration <= TimeSpan.Zero) return;
        var speed = rows / duration.TotalSeconds;
        _rowsPerSecond = _rowsPerSecond == 0 ? speed : ((1 - Weight) * _rowsPerSecond) + (Weight * speed);
    }
}
