using Dataflow.Files;
using Dataflow.Tasks;

namespace Dataflow.Formats;

/// <summary>What one task of a save does: writes its partition into one file and asks to commit it.</summary>
internal static class PartWriter
{
    /// <summary>Writes all elements of a partition.</summary>
    /// <returns>The task's result, for <see cref="AtomicOutput.Commit"/>.</returns>
    public static TaskCommit Write<T>(ChunkReader<T> reader, TaskContext context, OutputPlan plan, IFileFormat<T> format)
    {
        using var output = plan.OpenTask(context);
        using (var file = output.Create(plan.PartName(context.PartitionIndex, format.Extension)))
        {
            using var writer = format.Open(file.Stream);
            var records = 0L;
            while (reader.TryRead(out var chunk))
            {
                context.ThrowIfCancelled();
                writer.Write(chunk);
                records += chunk.Length;
            }
            writer.Complete();
            file.Complete(records);
        }
        return output.Commit();
    }
}
