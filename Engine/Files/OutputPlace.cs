namespace Dataflow.Files;

/// <summary>The path of an output: who may write there, what was left there, and how a complete output takes it.</summary>
/// <param name="system">Where it is.</param>
/// <param name="path">The full path.</param>
internal sealed class OutputPlace(IFileSystem system, string path)
{
    /// <summary>Where the old output waits, in the job's folder, while the new one takes its place.</summary>
    public const string ReplacedName = "replaced";

    private readonly string _parent = FilePath.ParentOf(path)!;
    private readonly string _name = FilePath.NameOf(path);

    /// <summary>What the folders of jobs that write here begin with. Readers pass over them: they begin with <c>_</c>.</summary>
    public string TemporaryPrefix => FilePath.Combine(_parent, $"_temporary.{_name}.");

    /// <summary>Makes sure that nobody else writes here, and removes what crashed runs left.</summary>
    /// <returns>The lock; null where there are none.</returns>
    public IDisposable? Lock()
    {
        if (!system.HasLocks) return null;
        var held = system.TryLock(FilePath.Combine(_parent, $"_lock.{_name}")) ?? throw new OutputException(
            $"Another job is writing to '{path}' now. Wait for it to end, or save elsewhere.", path);
        try
        {
            RemoveLeftovers();
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Refuses a path at which something is that must stay.</summary>
    public void RefuseExisting(ExistingOutput existing, bool singleFile)
    {
        if (system.Find(path) is not { } entry) return;
        if (singleFile && entry.IsFolder)
            throw new OutputException($"'{path}' is a folder, and a file is to be written there. Name a file in it, or delete it.", path);
        switch (existing)
        {
            case ExistingOutput.Refuse when !entry.IsFolder || system.List(path).Count > 0:
                throw new OutputException(
                    $"'{path}' exists already: {Describe(entry)}. Save elsewhere, delete it, or replace it: with overwrite: true, or Mode(SaveMode.Overwrite) of a frame.", path);
            case ExistingOutput.Append when !entry.IsFolder:
                throw new OutputException($"'{path}' is a file, and output can be appended to a folder only. Save elsewhere, or delete it.", path);
        }
    }

    /// <summary>Refuses to replace the folder that the program works in: that is a slip of the keyboard.</summary>
    public void RefuseWorkingFolder()
    {
        if (system is LocalFileSystem && (Environment.CurrentDirectory + "/").StartsWith(path + "/", StringComparison.Ordinal))
            throw new OutputException($"'{path}' holds the working folder of this program, and overwriting would delete all that is in it. Save to a folder below it.", path);
    }

    /// <summary>Gives a complete output the path.</summary>
    /// <param name="complete">The output, in a folder beside the path.</param>
    /// <param name="existing">What becomes of what is there.</param>
    /// <param name="replaced">Where the old output waits meanwhile.</param>
    public void Take(string complete, ExistingOutput existing, string replaced)
    {
        // Looked at again: another program may have written here while the job ran.
        RefuseExisting(existing, singleFile: false);
        var old = system.Find(path);
        if (old is not null) system.Rename(path, replaced);
        try
        {
            system.Rename(complete, path);
        }
        catch when (old is not null)
        {
            system.Rename(replaced, path);
            throw;
        }
    }

    /// <summary>Moves files beside those that are there. If one can't be moved, those that were go again.</summary>
    public void Append(string complete, List<string> names)
    {
        RefuseExisting(ExistingOutput.Append, singleFile: false);
        var moved = new List<string>();
        try
        {
            foreach (var name in names)
            {
                var to = FilePath.Combine(path, name);
                if (name.Contains('/')) system.CreateFolder(FilePath.ParentOf(to)!);
                system.Rename(FilePath.Combine(complete, name), to);
                moved.Add(to);
            }
            using var marker = system.Create(FilePath.Combine(path, AtomicOutput.SuccessName));
            marker.Commit(replace: true);
        }
        catch
        {
            foreach (var file in moved) system.Delete(file);
            throw;
        }
    }

    private void RemoveLeftovers()
    {
        foreach (var entry in system.List(_parent))
        {
            if (!entry.IsFolder || !entry.Path.StartsWith(TemporaryPrefix, StringComparison.Ordinal)) continue;

            // Only ids of ours: a.b's folders also begin with what those of a do.
            if (!Guid.TryParseExact(entry.Path.AsSpan(TemporaryPrefix.Length), "N", out _)) continue;

            // A run that died between the two renames had moved the old output away, and not yet put the new one in its place.
            var replaced = FilePath.Combine(entry.Path, ReplacedName);
            if (system.Find(path) is null && system.Find(replaced) is not null) system.Rename(replaced, path);
            system.Delete(entry.Path);
        }
    }

    private string Describe(FileEntry entry)
    {
        var written = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"last written {entry.Modified:yyyy-MM-dd HH:mm:ss} UTC");
        return entry.IsFolder ? $"a folder with {system.List(path).Count:N0} entries, {written}" : $"a file of {entry.Length:N0} bytes, {written}";
    }
}
