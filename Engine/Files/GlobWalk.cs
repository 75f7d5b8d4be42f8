namespace Dataflow.Files;

/// <summary>Finds what a pattern without braces matches, listing only the folders that it leads through.</summary>
internal static class GlobWalk
{
    /// <summary>The matches, ordered by name within each folder. A trailing <c>**</c> gives files only.</summary>
    public static IEnumerable<FileEntry> Matches(IFileSystem system, string pattern)
    {
        var root = FilePath.RootLength(pattern);
        return Walk(system, pattern[..root], pattern[root..].Split('/', StringSplitOptions.RemoveEmptyEntries), 0);
    }

    private static IEnumerable<FileEntry> Walk(IFileSystem system, string folder, string[] names, int next)
    {
        // Names without wildcards need no list.
        while (next < names.Length && !HasWildcard(names[next])) folder = FilePath.Combine(folder, Glob.Unescape(names[next++]));
        if (next == names.Length) return system.Find(folder) is { } entry ? [entry] : [];
        return names[next] == "**" ? Down(system, folder, names, next) : Across(system, folder, names, next);
    }

    private static IEnumerable<FileEntry> Across(IFileSystem system, string folder, string[] names, int next)
    {
        foreach (var entry in ListOrNothing(system, folder))
        {
            if (!Glob.Matches(names[next], FilePath.NameOf(entry.Path))) continue;
            if (next + 1 == names.Length)
            {
                yield return entry;
            }
            else if (entry.IsFolder)
            {
                foreach (var match in Walk(system, entry.Path, names, next + 1)) yield return match;
            }
        }
    }

    private static IEnumerable<FileEntry> Down(IFileSystem system, string folder, string[] names, int next)
    {
        var last = next + 1 == names.Length;
        if (!last)
        {
            foreach (var match in Walk(system, folder, names, next + 1)) yield return match;
        }
        foreach (var entry in ListOrNothing(system, folder))
        {
            if (FilePath.IsHidden(FilePath.NameOf(entry.Path))) continue;
            if (entry.IsFolder)
            {
                // A link may lead back up.
                if (entry.IsLink) continue;
                foreach (var match in Down(system, entry.Path, names, next)) yield return match;
            }
            else if (last)
            {
                yield return entry;
            }
        }
    }

    private static bool HasWildcard(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] == '\\') i++;
            else if (name[i] is '*' or '?' or '[') return true;
        }
        return false;
    }

    private static IReadOnlyList<FileEntry> ListOrNothing(IFileSystem system, string folder)
    {
        try
        {
            return system.List(folder);
        }
        catch (Exception error) when (error is DirectoryNotFoundException or FileNotFoundException)
        {
            return [];
        }
        catch (IOException) when (system.Find(folder) is { IsFolder: false })
        {
            // The pattern goes on below a file: that matches nothing.
            return [];
        }
    }
}
