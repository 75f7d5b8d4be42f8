namespace Dataflow.MLlib.Data;

/// <summary>Keeps rows in memory (on disk what does not fit) while a learner goes over them again and again.</summary>
internal static class KeptBlocks
{
    /// <summary>Runs work on kept rows and lets go of them at the end, also when it fails. Rows that somebody else keeps already stay as they are.</summary>
    public static async Task<T> UseAsync<T>(Rdd<FeatureBlock> blocks, Func<Rdd<FeatureBlock>, Task<T>> work)
    {
        if (blocks.StorageLevel.IsKept) return await work(blocks).ConfigureAwait(false);
        var kept = blocks.Persist(StorageLevel.MemoryAndDisk);
        try
        {
            return await work(kept).ConfigureAwait(false);
        }
        finally
        {
            kept.Unpersist();
        }
    }
}
