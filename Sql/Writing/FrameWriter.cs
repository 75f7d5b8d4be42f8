using Dataflow.Files;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Physical;
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

/// <summary>Runs the job that writes a frame.</summary>
internal static class FrameWriter
{
    public static async Task WriteAsync(DataFrame frame, string path, BatchFormat format, SaveMode mode, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var schema = frame.Schema;
        if (schema.GroupBy(field => field.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Skip(1).Any()) is { } twice)
            throw new QueryException("COLUMN_ALREADY_EXISTS", $"Two columns are called '{twice.Key}', which files can't have. Give one another name with As or WithColumnRenamed.");
        format.Check(schema);
        if (mode == SaveMode.Ignore && FileSystems.For(path).Find(FileSystems.Resolve(path)) is not null) return;
        var (physical, run) = frame.Session.Plan(frame);
        using var ends = run;
        var batches = physical.ToRdd(run);
        var existing = mode switch
        {
            SaveMode.Overwrite => ExistingOutput.Replace,
            SaveMode.Append => ExistingOutput.Append,
            _ => ExistingOutput.Refuse,
        };
        using var output = AtomicOutput.Begin(path, batches.PartitionCount, existing);
        var plan = output.Plan;
        var tasks = await QueryRunErrors.Unwrap(run.Context.RunJobAsync(batches, rows => Write(rows, plan, format, schema), null, cancellationToken)).ConfigureAwait(false);

        // Renames may take a while: not on the thread that brought the last result.
        await Task.Run(() => output.Commit(tasks), CancellationToken.None).ConfigureAwait(false);
    }

    private static TaskCommit Write(IEnumerable<ColumnBatch> batches, OutputPlan plan, BatchFormat format, Schema schema)
    {
        var context = TaskContext.Current!;
        using var output = plan.OpenTask(context);
        OutputFile? file = null;
        BatchFileWriter? writer = null;
        try
        {
            var rows = 0L;
            // The first file is there even if it has no rows: who reads the folder sees the columns.
            if (context.PartitionIndex == 0) Begin();
            foreach (var batch in batches)
            {
                context.ThrowIfCancelled();
                if (writer is null) Begin();
                writer!.Write(batch);
                rows += batch.Alive;
            }
            writer?.Complete();
            file?.Complete(rows);
            return output.Commit();
        }
        finally
        {
            writer?.Dispose();
            file?.Dispose();
        }

        void Begin()
        {
            file = output.Create(plan.PartName(context.PartitionIndex, format.Extension));
            writer = format.Open(file.Stream, schema, context);
        }
    }
}
