namespace Dataflow.Files;

/// <summary>
/// What a source was told to read: a file, a folder (the files directly in it), a pattern, or several with commas between them. Made in
/// the driver, which notes its working folder; files are looked for when partitions are first needed.
/// </summary>
/// <remarks>A path that exists is taken as it stands, whatever characters it holds. Files and folders whose names begin with <c>_</c> or
/// <c>.</c> are passed over unless they are asked for.</remarks>
public sealed class InputPaths
{
    private readonly string _folder = Environment.CurrentDirectory;

    /// <summary>Notes what to read, and the working folder of this moment.</summary>
    /// <param name="paths">As the user wrote it.</param>
    /// <exception cref="ArgumentException">It is empty, or its scheme is unknown.</exception>
    public InputPaths(string paths)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(paths);
        Given = paths;
        foreach (var part in Glob.SplitList(paths)) FileSystems.For(part);
    }

    /// <summary>As the user wrote it.</summary>
    public string Given { get; }

    /// <summary>Finds the files, in the order they were named and by name within each pattern or folder. None appears twice.</summary>
    /// <remarks>Asks the file system: one request for each path, one for each folder that a pattern leads through.</remarks>
    /// <exception cref="InputException">A path or pattern leads to nothing; the message names the nearest folder and similar names.</exception>
    public IReadOnlyList<FileEntry> Find()
    {
        var files = new List<FileEntry>();
        var seen = new HashSet<string>(StringComparer.Ordinal);

        // The whole text first: a file may have a comma in its name.
        if (Literal(Given) is { } single)
        {
            AddFilesOf(single, files, seen);
            return files;
        }
        foreach (var part in Glob.SplitList(Given))
        {
            if (Literal(part) is { } entry) AddFilesOf(entry, files, seen);
            else if (Glob.IsPattern(part)) AddMatches(part, files, seen);
            else throw MissingPath.Error(FileSystems.For(part), Full(part), part, _folder);
        }
        return files;
    }

    private string Full(string path) => FileSystems.For(path).Resolve(path, _folder);

    private FileEntry? Literal(string path)
    {
        var system = FileSystems.For(path);
        var full = system.Resolve(path, _folder);
        try
        {
            return system.Find(full);
        }
        catch (UnauthorizedAccessException error)
        {
            throw MissingPath.Refused(full, error);
        }
        catch (IOException) when (Glob.IsPattern(path) || path.Contains(','))
        {
            // A pattern may hold what can't be asked for as a name.
            return null;
        }
    }

    private void AddMatches(string part, List<FileEntry> files, HashSet<string> seen)
    {
        var system = FileSystems.For(part);
        var full = system.Resolve(part, _folder);
        var found = false;
        try
        {
            foreach (var pattern in Glob.Alternatives(full))
            {
                foreach (var entry in GlobWalk.Matches(system, pattern))
                {
                    found = true;
                    AddFilesOf(entry, files, seen);
                }
            }
        }
        catch (UnauthorizedAccessException error)
        {
            throw MissingPath.Refused(full, error);
        }
        if (!found) throw MissingPath.Error(system, full, part, _folder);
    }

    private static void AddFilesOf(FileEntry entry, List<FileEntry> files, HashSet<string> seen)
    {
        if (!entry.IsFolder)
        {
            if (seen.Add(entry.Path)) files.Add(entry);
            return;
        }
        IReadOnlyList<FileEntry> entries;
        try
        {
            entries = FileSystems.For(entry.Path).List(entry.Path);
        }
        catch (UnauthorizedAccessException error)
        {
            throw MissingPath.Refused(entry.Path, error);
        }
        var read = 0;
        FileEntry? folder = null;
        foreach (var inside in entries)
        {
            if (FilePath.IsHidden(FilePath.NameOf(inside.Path))) continue;
            if (inside.IsFolder)
            {
                folder ??= inside;
                continue;
            }
            read++;
            if (seen.Add(inside.Path)) files.Add(inside);
        }

        // Reading nothing where there is something below would be a quiet mistake.
        if (read == 0 && folder is not null)
        {
            throw new InputException(
                $"The folder '{entry.Path}' holds only folders, such as '{FilePath.NameOf(folder.Path)}', and a folder stands for the files directly in it. "
                + $"Write '{FilePath.Combine(entry.Path, "**")}' to read all files below it.", entry.Path);
        }
    }
}
