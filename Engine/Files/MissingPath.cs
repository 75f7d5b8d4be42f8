namespace Dataflow.Files;

/// <summary>Errors about paths that lead to nothing: they name the full path, the nearest folder that exists, and similar names in it.</summary>
internal static class MissingPath
{
    private const int NamesShown = 5;

    /// <summary>The error for a path or pattern without any match.</summary>
    public static InputException Error(IFileSystem system, string full, string given, string workingFolder)
    {
        var pattern = Glob.IsPattern(given);
        var what = pattern ? $"No file matches '{full}'" : $"There is no file or folder '{full}'";
        if (given != full && FilePath.SchemeOf(given) is null) what += $" (given as '{given}', working folder '{workingFolder}')";
        return new InputException($"{what}. {Nearest(system, full)}", full);
    }

    /// <summary>The error for a path that is there and may not be read.</summary>
    public static InputException Refused(string full, Exception error) => new(
        $"'{full}' may not be read by user '{Environment.UserName}': {error.Message} Give that user the right to read it and to enter the folders above it.",
        full, error);

    private static string Nearest(IFileSystem system, string full)
    {
        var missing = full;
        for (var folder = FilePath.ParentOf(full); folder is not null; folder = FilePath.ParentOf(folder))
        {
            if (!Glob.IsPattern(FilePath.NameOf(folder)) && system.Find(folder) is { } entry)
            {
                return entry.IsFolder
                    ? Inside(system, folder, FilePath.NameOf(missing))
                    : $"'{folder}' is a file, so nothing can be below it.";
            }
            missing = folder;
        }
        return "Nothing above it exists either.";
    }

    private static string Inside(IFileSystem system, string folder, string missing)
    {
        var names = system.List(folder).Select(entry => FilePath.NameOf(entry.Path)).ToArray();
        if (names.Length == 0) return $"The folder '{folder}' exists and is empty.";
        if (SimilarNames.Of(missing, names) is { Count: > 0 } similar)
            return $"The folder '{folder}' exists; did you mean {string.Join(" or ", similar.Select(name => $"'{name}'"))} in it?";
        var more = names.Length > NamesShown ? $" and {names.Length - NamesShown:N0} more" : "";
        return $"The folder '{folder}' exists and holds {string.Join(", ", names.Take(NamesShown).Select(name => $"'{name}'"))}{more}.";
    }
}
