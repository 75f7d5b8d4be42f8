namespace Dataflow.Files;

/// <summary>What becomes of what is at the path already.</summary>
public enum ExistingOutput
{
    /// <summary>The job is refused. An empty folder counts as nothing.</summary>
    Refuse,

    /// <summary>It stays until the new output is complete, and then makes way for it.</summary>
    Replace,

    /// <summary>It stays, and the new files come beside it.</summary>
    Append,
}

/// <summary>
/// Output of one job that appears at its path whole, or not at all. The driver begins it, gives <see cref="Plan"/> to the tasks, and
/// commits what they report; disposing it without a commit removes all that was written.
/// </summary>
/// <remarks>
/// <para>Tasks write into <c>_temporary.NAME.ID</c> beside the path, each attempt into a folder of its own. The driver then moves the files of the
/// attempts that count into one folder, adds <c>_SUCCESS</c>, and renames that folder to the path: one step, so nobody sees a part of it.
/// Only files that a successful task reported are moved, so copies of slow tasks and late attempts can't mix in.</para>
/// <para>Where the file system has locks, one job at a time writes to a path, a second is refused, and what a crashed run left is removed. Elsewhere two jobs
/// work side by side, and the later one to end is refused or replaces the other's output as a whole.</para>
/// </remarks>
public sealed class AtomicOutput : IDisposable
{
    /// <summary>The empty file that says that a folder is complete.</summary>
    public const string SuccessName = "_SUCCESS";

    private readonly IFileSystem _system;
    private readonly ExistingOutput _existing;
    private readonly bool _singleFile;
    private readonly IDisposable? _lock;
    private bool _ended;

    private AtomicOutput(IFileSystem system, OutputPlan plan, ExistingOutput existing, bool singleFile, IDisposable? held)
    {
        _system = system;
        Plan = plan;
        _existing = existing;
        _singleFile = singleFile;
        _lock = held;
    }

    /// <summary>What the tasks need.</summary>
    public OutputPlan Plan { get; }

    /// <summary>Checks the path and makes the job's folder, before any task runs.</summary>
    /// <param name="path">As the user wrote it.</param>
    /// <param name="partitions">How many partitions will write.</param>
    /// <param name="existing">What becomes of what is there.</param>
    /// <param name="singleFile">True for one file that <see cref="CommitAsOneFile"/> makes; false for a folder.</param>
    /// <param name="durable">Whether bytes and names are on the disk, and not only with the system, when the commit returns.</param>
    /// <exception cref="OutputException">Something is there that may not be replaced, another job is writing there, or the folder can't be written to.</exception>
    public static AtomicOutput Begin(string path, int partitions, ExistingOutput existing = ExistingOutput.Refuse, bool singleFile = false, bool durable = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partitions);
        var system = FileSystems.For(path);
        var full = system.Resolve(path, Environment.CurrentDirectory);
        var parent = FilePath.ParentOf(full)
            ?? throw new OutputException($"'{full}' is a root, and output needs a folder of its own. Save to a folder in it.", full);
        var place = new OutputPlace(system, full);
        IDisposable? held = null;
        try
        {
            if (existing == ExistingOutput.Replace) place.RefuseWorkingFolder();
            system.CreateFolder(parent, durable);
            held = place.Lock();
            place.RefuseExisting(existing, singleFile);

            var id = Guid.NewGuid().ToString("N");
            var temporary = place.TemporaryPrefix + id;
            system.CreateFolder(temporary);
            var plan = new OutputPlan(full, temporary, partitions, existing == ExistingOutput.Append ? $"-{id[..8]}" : "") { IsDurable = durable };
            WriteEmpty(system, plan.MarkerPath);
            return new AtomicOutput(system, plan, existing, singleFile, held);
        }
        catch (Exception error)
        {
            held?.Dispose();
            if (!OutputErrors.IsAccess(error)) throw;
            throw OutputErrors.Failed(system, full, "", error);
        }
    }

    /// <summary>Makes the output appear: the files of these tasks, and no others.</summary>
    /// <remarks>One rename for each file, and one for the whole.</remarks>
    /// <param name="tasks">One of each partition, in any order.</param>
    /// <exception cref="OutputException">Something has come to the path meanwhile, or the file system failed; what was there is still there.</exception>
    public void Commit(IReadOnlyList<TaskCommit> tasks)
    {
        ThrowIfUnfit(tasks, singleFile: false);
        try
        {
            var complete = FilePath.Combine(Plan.Temporary, "output");
            _system.CreateFolder(complete);
            var names = Gather(tasks, complete);
            var place = new OutputPlace(_system, Plan.Path);
            if (_existing == ExistingOutput.Append && _system.Find(Plan.Path) is not null)
            {
                place.Append(complete, names);
            }
            else
            {
                WriteEmpty(_system, FilePath.Combine(complete, SuccessName));
                place.Take(complete, _existing, FilePath.Combine(Plan.Temporary, OutputPlace.ReplacedName));
            }
            if (Plan.IsDurable) FlushNames(names);
        }
        catch (Exception error) when (OutputErrors.IsAccess(error))
        {
            throw OutputErrors.Failed(_system, Plan.Path, "when all its parts were written", error);
        }
        Dispose();
    }

    /// <summary>Puts the files of these tasks end to end, in the order of partitions, and makes them appear as one file.</summary>
    /// <remarks>Copies all bytes once more, through the driver.</remarks>
    /// <param name="tasks">One of each partition, in any order.</param>
    /// <exception cref="OutputException">Something has come to the path meanwhile, or the file system failed; what was there is still there.</exception>
    public void CommitAsOneFile(IReadOnlyList<TaskCommit> tasks)
    {
        ThrowIfUnfit(tasks, singleFile: true);
        new OutputPlace(_system, Plan.Path).RefuseExisting(_existing, _singleFile);
        try
        {
            using var file = _system.Create(Plan.Path);
            using var stream = new OutputStream(_system, file);
            foreach (var task in tasks.OrderBy(static task => task.Partition))
            {
                foreach (var written in task.Files)
                {
                    using var part = _system.OpenRead(FilePath.Combine(task.Folder, written.Name));
                    part.CopyTo(stream, 1 << 20);
                }
            }
            stream.Flush();
            file.Commit(replace: _existing == ExistingOutput.Replace, Plan.IsDurable);
        }
        catch (Exception error) when (OutputErrors.IsAccess(error))
        {
            throw OutputErrors.Failed(_system, Plan.Path, "when all its parts were written", error);
        }
        Dispose();
    }

    /// <summary>Removes the job's folder with all that was not committed, and lets other jobs write to the path.</summary>
    public void Dispose()
    {
        if (_ended) return;
        _ended = true;
        try
        {
            // The marker first: tasks that still run see by it that the job has ended.
            _system.Delete(Plan.MarkerPath);
            _system.Delete(Plan.Temporary);
        }
        catch (Exception error) when (OutputErrors.IsAccess(error))
        {
            // Nothing in it looks finished, the next job that writes here removes it, and the error that led here must come through.
        }
        _lock?.Dispose();
    }

    private List<string> Gather(IReadOnlyList<TaskCommit> tasks, string folder)
    {
        var names = new List<string>();
        var folders = new HashSet<string>(StringComparer.Ordinal) { folder };
        foreach (var task in tasks)
        {
            foreach (var file in task.Files)
            {
                var to = FilePath.Combine(folder, file.Name);
                if (FilePath.ParentOf(to) is { } inside && folders.Add(inside)) _system.CreateFolder(inside);
                _system.Rename(FilePath.Combine(task.Folder, file.Name), to);
                names.Add(file.Name);
            }
        }
        return names;
    }

    // Bytes are on the disk already, as each file was complete.
    private void FlushNames(List<string> names)
    {
        _system.FlushFolder(FilePath.ParentOf(Plan.Path)!);
        var folders = new HashSet<string>(StringComparer.Ordinal) { Plan.Path };
        foreach (var name in names)
        {
            for (var folder = FilePath.ParentOf(FilePath.Combine(Plan.Path, name)); folder is not null && folders.Add(folder);) folder = FilePath.ParentOf(folder);
        }
        foreach (var folder in folders) _system.FlushFolder(folder);
    }

    private void ThrowIfUnfit(IReadOnlyList<TaskCommit> tasks, bool singleFile)
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        if (singleFile != _singleFile) throw new InvalidOperationException("Begin said whether this output is one file or a folder; the commit must say the same.");
        var partitions = tasks.Select(static task => task.Partition).Distinct().Count();
        if (tasks.Count != Plan.Partitions || partitions != Plan.Partitions)
        {
            throw new InvalidOperationException(
                $"{tasks.Count} tasks of {partitions} partitions report output for '{Plan.Path}', which has {Plan.Partitions} partitions. Please report this error.");
        }
    }

    private static void WriteEmpty(IFileSystem system, string path)
    {
        using var file = system.Create(path);
        file.Commit();
    }
}
