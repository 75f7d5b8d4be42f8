using Dataflow.Errors;
using Dataflow.Tasks;

namespace Dataflow.Files;

/// <summary>
/// What one task attempt writes: files in a folder of its own, which count only if the driver grants the commit and the job then ends well.
/// Disposing it without <see cref="Commit"/> drops them.
/// </summary>
public sealed class TaskOutput : IDisposable
{
    private readonly OutputPlan _plan;
    private readonly TaskContext _context;
    private readonly IFileSystem _system;
    private readonly string _folder;
    private readonly List<OutputFile> _open = [];
    private readonly List<WrittenFile> _complete = [];
    private bool _committed;

    internal TaskOutput(OutputPlan plan, TaskContext context)
    {
        _plan = plan;
        _context = context;
        _system = FileSystems.For(plan.Path);
        _folder = FilePath.Combine(plan.Temporary, $"attempt-{context.Description.Id}");
        ThrowIfJobEnded();
    }

    /// <summary>Begins a file.</summary>
    /// <param name="name">Its name within the output, usually <see cref="OutputPlan.PartName"/>; may have folders in it.</param>
    /// <exception cref="OutputException">It can't be made.</exception>
    public OutputFile Create(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var path = FilePath.Combine(_folder, name);
        try
        {
            var file = new OutputFile(this, _system, name, _system.Create(path), _plan.IsDurable);
            _open.Add(file);
            return file;
        }
        catch (Exception error) when (OutputErrors.IsAccess(error))
        {
            throw OutputErrors.Failed(_system, path, "", error);
        }
    }

    /// <summary>Asks the driver to let this attempt's files count. All must be complete.</summary>
    /// <returns>The task's result: what the driver makes final when all tasks have one.</returns>
    /// <exception cref="InvalidOperationException">A file was begun and not completed.</exception>
    public TaskCommit Commit()
    {
        if (_open.Count > 0) throw new InvalidOperationException($"'{_open[0].Name}' was begun and not completed. Call Complete before Commit.");
        _context.ThrowIfCancelled();
        _context.ThrowIfInputLost();
        ThrowIfJobEnded();
        if (_context.Services.Commits is { } commits && !commits.MayCommit(_context.Description)) throw new CommitDeniedException(_context.Description);
        _committed = true;
        return new TaskCommit(_context.PartitionIndex, _folder, [.. _complete]);
    }

    /// <summary>Drops the attempt's files, unless they were committed.</summary>
    public void Dispose()
    {
        if (_committed) return;
        foreach (var file in _open.ToArray()) file.Dispose();
        try
        {
            _system.Delete(_folder);

            // The job may have ended, and removed its folder, before our last file was made.
            if (_system.Find(_plan.MarkerPath) is null) _system.Delete(_plan.Temporary);
        }
        catch (Exception error) when (OutputErrors.IsAccess(error))
        {
            // The error that ended this attempt must come through; the driver removes the folder with the job's.
        }
    }

    internal void Completed(OutputFile file, long bytes, long records)
    {
        _open.Remove(file);
        _complete.Add(new WrittenFile(file.Name, bytes, records));
        _context.Metrics.OutputBytes += bytes;
        _context.Metrics.OutputRecords += records;
    }

    internal void Dropped(OutputFile file) => _open.Remove(file);

    private void ThrowIfJobEnded()
    {
        if (_system.Find(_plan.MarkerPath) is null)
        {
            throw new OutputException(
                $"The job that writes '{_plan.Path}' has ended, or host '{Environment.MachineName}' does not see its folder '{_plan.Temporary}'. "
                + "Output of several hosts has to be on shared storage that all of them, and the driver, see at the same path.", _plan.Path);
        }
    }
}

/// <summary>A file of a task. Disposing it without <see cref="Complete"/> drops it.</summary>
public sealed class OutputFile : IDisposable
{
    private readonly TaskOutput _output;
    private readonly IFileSystem _system;
    private readonly PendingFile _file;
    private readonly OutputStream _stream;
    private readonly bool _isDurable;
    private bool _ended;

    internal OutputFile(TaskOutput output, IFileSystem system, string name, PendingFile file, bool isDurable)
    {
        _isDurable = isDurable;
        _output = output;
        _system = system;
        _file = file;
        _stream = new OutputStream(system, file);
        Name = name;
    }

    /// <summary>Its name within the output.</summary>
    public string Name { get; }

    /// <summary>Takes its bytes; buffered, knows its position, can't seek.</summary>
    public Stream Stream => _stream;

    /// <summary>Ends the file.</summary>
    /// <param name="records">Records in it, for metrics.</param>
    /// <exception cref="OutputException">The last bytes can't be written.</exception>
    public void Complete(long records)
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        var bytes = _stream.Position;
        _stream.Flush();
        _stream.Dispose();
        try
        {
            _file.Commit(durable: _isDurable);
        }
        catch (Exception error) when (OutputErrors.IsAccess(error))
        {
            throw OutputErrors.Failed(_system, _file.Path, $"after {bytes:N0} bytes", error);
        }
        _ended = true;
        _file.Dispose();
        _output.Completed(this, bytes, records);
    }

    /// <summary>Drops the file, unless it is complete.</summary>
    public void Dispose()
    {
        if (_ended) return;
        _ended = true;
        _stream.Dispose();
        try
        {
            _file.Dispose();
        }
        catch (Exception error) when (OutputErrors.IsAccess(error))
        {
            // It lies in the attempt's folder, which goes as a whole; the error that led here must come through.
        }
        _output.Dropped(this);
    }
}
