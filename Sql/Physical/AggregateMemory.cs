using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>How large tables of groups may become before they are handed on or cut.</summary>
internal static class AggregateMemory
{
    private const long LeastBytes = 256 << 10;
    private const long MostBytes = 16 << 20;

    // A table that grows holds its old arrays as well, and a task has more than one.
    private const int Parts = 12;

    /// <summary>Bytes of one table: a part of the budget, and not more than stays in the processor's cache.</summary>
    /// <remarks>By the budget as it was set, not by what is left of it: a task that runs again gives its groups in the same order.</remarks>
    public static long TableBytes(TaskContext context) =>
        Math.Clamp(context.Services.Memory.TotalBytes / (Parts * Math.Max(1, context.Services.Options.Threads)), LeastBytes, MostBytes);
}
