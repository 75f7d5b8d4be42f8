using Dataflow.Files;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.DStreams;

/// <summary>What never changes of a context with a checkpoint.</summary>
internal sealed record DStreamMetadata(int Version, long IntervalTicks, long ZeroTicks, string[] Shape)
{
    public const int CurrentVersion = 1;
}

/// <summary>What a batch reads, by input: written before it runs.</summary>
internal sealed record DStreamPlan(string?[] Starts, string?[] Ends);

/// <summary>Where the Rdd of a state stream is.</summary>
/// <param name="State">Which state stream.</param>
/// <param name="Number">Of the batch whose Rdd it is.</param>
/// <param name="Path">In the checkpoint.</param>
internal sealed record SavedState(int State, long Number, string Path);

/// <summary>That a batch is done, and where state was written last.</summary>
internal sealed record DStreamCommit(SavedState[] States);

/// <summary>What a checkpoint of streams of Rdds has to be.</summary>
internal static class DStreamCheckpoint
{
    /// <summary>The metadata of the first start, which this one must fit.</summary>
    /// <exception cref="StreamingException">The streams are others: says what differs.</exception>
    public static DateTimeOffset Agree(string folder, DStreamMetadata wanted)
    {
        var log = new DurableLog(FilePath.Combine(folder, "metadata"));
        if (log.Numbers().Length == 0)
        {
            log.Write(0, wanted);
            return new DateTimeOffset(wanted.ZeroTicks, TimeSpan.Zero);
        }
        var there = log.Read<DStreamMetadata>(0);
        if (there.Version != wanted.Version || there.Shape is null)
            throw new StreamingException("CHECKPOINT_VERSION", $"The checkpoint '{folder}' is of another version of Dataflow, or of a query over frames.");
        if (there.IntervalTicks != wanted.IntervalTicks)
            throw Other($"its interval was {TimeSpan.FromTicks(there.IntervalTicks)}, and is now {TimeSpan.FromTicks(wanted.IntervalTicks)}");
        for (var i = 0; i < Math.Max(there.Shape.Length, wanted.Shape.Length); i++)
        {
            var (before, now) = (there.Shape.ElementAtOrDefault(i) ?? "nothing", wanted.Shape.ElementAtOrDefault(i) ?? "nothing");
            if (before != now) throw Other($"where it had {before} there is now {now}");
        }
        return new DateTimeOffset(there.ZeroTicks, TimeSpan.Zero);

        StreamingException Other(string what) =>
            new("CHECKPOINT_OF_OTHER_QUERY", $"The checkpoint '{folder}' was begun by other streams: {what}. Describe the streams as they were, or take another folder.");
    }
}
