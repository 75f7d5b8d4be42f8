using Dataflow.Files;
using Dataflow.Sql.Adaptive;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Writing;

/// <summary>How batches become files. It travels with the tasks that write.</summary>
internal abstract class BatchFormat
{
    /// <summary>What names of files end with.</summary>
    public abstract string Extension { get; }

    /// <summary>Refuses columns that it has no form for, before a task runs.</summary>
    public abstract void Check(Schema schema);

    /// <summary>Begins a file.</summary>
    public abstract BatchFileWriter Open(Stream output, Schema schema, TaskContext context);
}

/// <summary>Writes batches into one file.</summary>
internal abstract class BatchFileWriter : IDisposable
{
    public abstract void Write(ColumnBatch batch);

    public abstract void Complete();

    public virtual void Dispose() { }
}

/// <summary>What a task needs to know of the rows that it writes.</summary>
/// <param name="Schema">The columns that stand in files: the first ones of the batches.</param>
/// <param name="Folders">The columns that name folders, whose texts are the last ones of the batches.</param>
/// <param name="Options">How rows are cut into files.</param>
internal sealed record WrittenRows(Schema Schema, ValueList<string> Folders, WriteOptions Options);

/// <summary>Runs the job that writes a frame.</summary>
internal static class FrameWriter
{
    public static async Task WriteAsync(DataFrame frame, string path, BatchFormat format, WriteOptions options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var plan = WritePlan.Of(frame, options);
        format.Check(plan.Schema);
        if (options.Mode == SaveMode.Ignore && FileSystems.For(path).Find(FileSystems.Resolve(path)) is not null) return;
        if (options.Mode == SaveMode.Append) CheckFolders(FileSystems.Resolve(path), plan.Folders);
        using var run = new QueryRun(frame.Session.Context, new QueryScope(frame.OwnSettings ?? frame.Session.Settings(), frame.Text));
        var existing = options.Mode switch
        {
            SaveMode.Overwrite => ExistingOutput.Replace,
            SaveMode.Append => ExistingOutput.Append,
            _ => ExistingOutput.Refuse,
        };

        // What is refused anyway is not computed first.
        if (existing != ExistingOutput.Refuse || FileSystems.For(path).Find(FileSystems.Resolve(path)) is null)
            await QueryRunErrors.Unwrap(AdaptivePlanner.PrepareAsync(plan.Rows, run, frame.Session.Planner().Options, cancellationToken)).ConfigureAwait(false);
        var batches = plan.Rows.ToRdd(run);
        using var output = AtomicOutput.Begin(path, batches.PartitionCount, existing, durable: options.IsDurable);
        var target = output.Plan;
        var rows = new WrittenRows(plan.Schema, plan.Folders, options);
        var tasks = await QueryRunErrors.Unwrap(run.Context.RunJobAsync(batches, each => Write(each, target, format, rows), null, cancellationToken)).ConfigureAwait(false);

        if (options.LeavesOutEmpty && Array.TrueForAll(tasks, task => task.Files.Length == 0)) return;

        // Renames may take a while: not on the thread that brought the last result.
        await Task.Run(() => output.Commit(tasks), CancellationToken.None).ConfigureAwait(false);
    }

    // Files beside folders, or below folders of other columns, could not be read as one table again.
    private static void CheckFolders(string path, ValueList<string> folders)
    {
        if (PartitionedFiles.ColumnsOf(path) is not { } there || there.SequenceEqual(folders, StringComparer.OrdinalIgnoreCase)) return;
        var wanted = there.Count == 0 ? "without PartitionBy" : $"with PartitionBy({string.Join(", ", there)})";
        throw new QueryException(
            "PARTITIONS_DO_NOT_MATCH",
            $"'{path}' has {(there.Count == 0 ? "files that no column partitions" : $"folders of the columns ({string.Join(", ", there)})")}, and the frame would append "
            + $"{(folders.Count == 0 ? "files without folders" : $"folders of the columns ({string.Join(", ", folders)})")}, so the two could not be read as one table. Append {wanted}, or write to another folder.");
    }

    private static TaskCommit Write(IEnumerable<ColumnBatch> batches, OutputPlan plan, BatchFormat format, WrittenRows rows)
    {
        var context = TaskContext.Current!;
        using var files = new TaskFiles(plan, format, rows, context);
        if (context.PartitionIndex == 0 && !rows.Options.LeavesOutEmpty) files.BeginEmpty();
        foreach (var batch in batches)
        {
            context.ThrowIfCancelled();
            files.Write(batch);
        }
        return files.Commit();
    }
}
