namespace Dataflow.Streaming.Execution;

/// <summary>What is known of the watermark of the next batch while a batch is computed: it goes by the input that is furthest behind. Travels to executors.</summary>
/// <param name="Latest">By input: the latest time before the batch; <see cref="long.MinValue"/> for none.</param>
/// <param name="Delays">By input: how late rows may come, in microseconds.</param>
/// <param name="Current">The watermark of the batch; <see cref="long.MinValue"/> for none.</param>
internal sealed record NextWatermark(long[] Latest, long[] Delays, long Current)
{
    /// <summary>What it is at the least, as times were read in the batch. Others may be later still, and who has fallen silent is waited for no longer: then it is later.</summary>
    /// <param name="read">Inputs, and the latest time that was read of each.</param>
    public long AtLeast(params ReadOnlySpan<(int Input, long Latest)> read)
    {
        var least = long.MaxValue;
        for (var i = 0; i < Latest.Length; i++)
        {
            var latest = Latest[i];
            foreach (var (input, later) in read)
            {
                if (input == i) latest = Math.Max(latest, later);
            }
            if (latest < long.MinValue + Delays[i]) return Current;
            least = Math.Min(least, latest - Delays[i]);
        }
        return Math.Max(least, Current);
    }
}
