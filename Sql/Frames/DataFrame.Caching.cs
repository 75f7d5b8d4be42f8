using Dataflow.Sql.Caching;

namespace Dataflow.Sql;

public sealed partial class DataFrame
{
    /// <summary>Keeps the rows in memory, by column, and on disk what does not fit, once an action has computed them.</summary>
    /// <remarks>Lazy. As <c>Persist(StorageLevel.MemoryAndDisk)</c>. <c>Count()</c> fills it whole; an action that computes some partitions fills those.</remarks>
    /// <returns>This frame.</returns>
    public DataFrame Cache() => Persist(StorageLevel.MemoryAndDisk);

    /// <summary>Keeps the rows once an action has computed them: as columns outside the managed heap, charged to the memory budget, on disk where the level
    /// says so and memory does not suffice, and on as many executors as it says.</summary>
    /// <remarks>
    /// <para>Lazy. It is the plan that is kept: any query of this context that has the same plan as a part of it reads what is kept, also through a view.</para>
    /// <para>Each 8,192 rows know the bounds of their columns: conditions of a query pass over those where no row can be wanted. Columns that a query does not
    /// name are not touched. A partition that was lost, or did not fit, is computed again.</para>
    /// </remarks>
    /// <param name="level">Where.</param>
    /// <returns>This frame.</returns>
    /// <exception cref="InvalidOperationException">It is kept at another level already.</exception>
    /// <exception cref="QueryException">It reads a stream, or a column has a type that can't be kept.</exception>
    public DataFrame Persist(StorageLevel level)
    {
        ArgumentNullException.ThrowIfNull(level);
        if (!level.IsKept) return Unpersist();
        if (Plan.IsEndless)
        {
            throw new QueryException("STREAM_WITHOUT_QUERY",
                "The frame reads a stream, which has no last row, so its rows can't be kept. Keep frames that are no stream (the other side of a join), or the rows of a batch, in ForeachBatch.");
        }
        if (Schema.FirstOrDefault(field => field.Type.Physical > PhysicalType.View) is { } nested)
            throw new QueryException("UNSUPPORTED_FEATURE.CACHED_COLUMN", $"The column '{nested}' can't be kept: nested values are not supported yet. Leave it out with Drop.");
        Session.Cached.Add(Plan, level, Text);
        return this;
    }

    /// <summary>Drops what is kept of the rows; they are computed again when next needed.</summary>
    /// <remarks>Queries that read them now go on.</remarks>
    /// <returns>This frame.</returns>
    public DataFrame Unpersist()
    {
        Session.Cached.Remove(Plan);
        return this;
    }

    /// <summary>Where the rows are kept; <see cref="StorageLevel.None"/> if they are not.</summary>
    public StorageLevel StorageLevel => Session.Cached.Find(Plan)?.Level ?? StorageLevel.None;
}
