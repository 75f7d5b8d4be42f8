namespace Dataflow.Streaming.Execution;

/// <summary>What the watermark of a query is: by the latest time that each of its inputs had, and by who has fallen silent.</summary>
internal sealed class WatermarkClock
{
    private readonly Watermark[] _watermarks;
    private readonly StreamingQueryOptions _options;
    private readonly DateTimeOffset[] _heard;

    public WatermarkClock(Watermark[] watermarks, StreamingQueryOptions options)
    {
        (_watermarks, _options) = (watermarks, options);
        Latest = new long?[watermarks.Length];
        _heard = [.. watermarks.Select(_ => options.Time.GetUtcNow())];
    }

    /// <summary>By input: the latest time of any row so far; null for none.</summary>
    public long?[] Latest { get; private set; }

    /// <summary>Goes on from what an earlier process wrote down.</summary>
    public void Restore(long?[] latest) => Latest = latest;

    /// <summary>Notes the latest time of a batch; <see cref="long.MinValue"/> if no row of the input had one.</summary>
    public void Note(int input, long latest)
    {
        if (latest == long.MinValue) return;
        Latest[input] = Math.Max(latest, Latest[input] ?? long.MinValue);
        _heard[input] = _options.Time.GetUtcNow();
    }

    /// <summary>What a batch may know of the watermark of the next; null where the input that is furthest ahead says what it is, as that may have fallen silent by then.</summary>
    /// <param name="current">The watermark of the batch.</param>
    public NextWatermark? Ahead(long? current) => _options.WatermarkPolicy == WatermarkPolicy.Min
        ? new NextWatermark([.. Latest.Select(latest => latest ?? long.MinValue)], [.. _watermarks.Select(watermark => watermark.DelayMicroseconds)], current ?? long.MinValue)
        : null;

    /// <summary>The watermark of the next batch; it never goes back.</summary>
    /// <param name="current">That of the last one.</param>
    public long? Next(long? current)
    {
        long? next = null;
        var now = _options.Time.GetUtcNow();

        // Where all have fallen silent nobody is waited for: who is furthest says what is final.
        var allIdle = Latest.Length > 0 && Enumerable.Range(0, Latest.Length).All(IsIdle);
        for (var i = 0; i < Latest.Length; i++)
        {
            if (!allIdle && IsIdle(i)) continue;
            if (Latest[i] is not { } latest)
            {
                // Nobody knows yet how far behind this input is.
                if (_options.WatermarkPolicy == WatermarkPolicy.Min && !allIdle) return current;
                continue;
            }
            var at = latest - _watermarks[i].DelayMicroseconds;
            next = next is not { } other ? at : _options.WatermarkPolicy == WatermarkPolicy.Min && !allIdle ? Math.Min(other, at) : Math.Max(other, at);
        }
        return next is { } moved ? Math.Max(moved, current ?? long.MinValue) : current;

        bool IsIdle(int input) => _options.IdleTimeout is { } patience && now - _heard[input] >= patience;
    }
}
