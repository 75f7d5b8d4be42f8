using Dataflow.Files;
using Dataflow.Sql.Physical;
using Dataflow.Streaming.Checkpoints;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming;

/// <summary>What can be done with the checkpoint of a query that is stopped.</summary>
public static class StreamingCheckpoint
{
    /// <summary>Puts the state of a query into another number of partitions: of tasks that work with it at once. The query then goes on where it was.</summary>
    /// <remarks>Reads and writes all state once, on this machine; takes memory for one old partition of it, of what was put away for a frame. Whatever ends the process leaves the checkpoint as it
    /// was, or with all of its state in the new partitions: that is so from the last step on, an entry of <c>metadata</c> that names the new files. The old ones go with the next batches. State
    /// without keys stays in its one partition. A query that names <see cref="StreamingQueryOptions.StatePartitions"/> names the new number from then on.</remarks>
    /// <param name="checkpoint">The folder that the query's <c>Checkpoint</c> names.</param>
    /// <param name="partitions">1 or more.</param>
    /// <exception cref="StreamingException">There is no checkpoint (<c>CHECKPOINT_MISSING</c>); a query works with it (<c>CHECKPOINT_IN_USE</c>); a batch was begun and is not done, so that the query
    /// has to be started once (<c>CHECKPOINT_BATCH_PLANNED</c>); it was written by a version that did not say what its state is (<c>STATE_NOT_DESCRIBED</c>); or it is damaged.</exception>
    public static void Rescale(string checkpoint, int partitions) => Rescale(checkpoint, partitions, null);

    /// <param name="checkpoint">The folder.</param>
    /// <param name="partitions">How many there will be.</param>
    /// <param name="reached">Told what was just done: <c>operator N</c>, <c>written</c>, <c>named</c>. For tests that end the process there.</param>
    internal static void Rescale(string checkpoint, int partitions, Action<string>? reached)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(checkpoint);
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);

        // Before anything is made where nothing is.
        Checkpoint.Look(checkpoint).Checkpoint.Dispose();
        using var folder = Checkpoint.Open(checkpoint);
        var metadata = folder.Metadata()!;
        var (done, planned) = folder.Find(metadata);
        if (planned is not null)
        {
            throw new StreamingException("CHECKPOINT_BATCH_PLANNED",
                $"Batch {planned} of the checkpoint '{folder.Folder}' was begun and is not done. Start its query once and let it end (Trigger.AvailableNow, or StopAsync once it is idle), then rescale.");
        }
        var states = StateInspector.DescribedStates(folder, metadata);
        if (partitions == metadata.StatePartitions) return;
        var chains = done < 0 ? [] : folder.ChainsOf(metadata, done);
        if (done >= 0)
        {
            using var context = DataflowContext.Local(1);
            for (var i = 0; i < chains.Length; i++)
            {
                if (states[i].IsSingle) continue;
                var names = RescaledNames.New(done, partitions);
                var files = new RescaleRdd(context, folder.StateFolder(i), chains[i], states[i], names);
                chains[i] = names.Chains(QueryRunErrors.Unwrap(files.CollectAsync()).GetAwaiter().GetResult());
                reached?.Invoke($"operator {i}");
            }
        }
        reached?.Invoke("written");
        var log = new DurableLog(FilePath.Combine(folder.Folder, "metadata"));
        log.Write(log.Numbers()[^1] + 1, metadata with { StatePartitions = partitions, Rescaled = done < 0 ? null : new RescaledState(done, chains) });
        reached?.Invoke("named");
    }
}
