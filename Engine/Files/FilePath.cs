namespace Dataflow.Files;

/// <summary>Takes full paths apart and puts them together, with or without a scheme: <c>/data/a.txt</c>, <c>hdfs://host:9000/data/a.txt</c>.</summary>
public static class FilePath
{
    /// <summary>The path of a name within a folder.</summary>
    /// <param name="folder">A full path, or an empty text.</param>
    /// <param name="name">A name, or several with <c>/</c> between them.</param>
    public static string Combine(string folder, string name) =>
        folder.Length == 0 || folder[^1] == '/' ? folder + name : $"{folder}/{name}";

    /// <summary>The last name of a path.</summary>
    /// <param name="path">A full path.</param>
    public static string NameOf(string path)
    {
        path = TrimEnd(path);
        return path[Math.Max(path.LastIndexOf('/') + 1, Math.Min(RootLength(path), path.Length))..];
    }

    /// <summary>The folder a path is in, or null for a root.</summary>
    /// <param name="path">A full path.</param>
    public static string? ParentOf(string path)
    {
        path = TrimEnd(path);
        var root = RootLength(path);
        if (path.Length <= root) return null;
        var slash = path.LastIndexOf('/');
        return slash < root ? path[..root] : path[..slash];
    }

    /// <summary>The scheme of a path, such as <c>hdfs</c>; null for one of this machine. A single letter is a drive, not a scheme.</summary>
    /// <param name="path">Any path.</param>
    public static string? SchemeOf(string path)
    {
        var colon = path.IndexOf("://", StringComparison.Ordinal);
        if (colon < 2 || !char.IsAsciiLetter(path[0])) return null;
        foreach (var letter in path.AsSpan(0, colon))
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('+' or '-' or '.')) return null;
        }
        return path[..colon].ToLowerInvariant();
    }

    /// <summary>Whether readers of a folder pass over a name: it begins with <c>_</c> or <c>.</c>, as markers and unfinished output do.</summary>
    /// <param name="name">A name without its folder.</param>
    public static bool IsHidden(string name) => name.Length > 0 && name[0] is '_' or '.';

    /// <summary>Length of what stands before the first name: <c>/</c>, <c>C:/</c> or <c>hdfs://host/</c>.</summary>
    internal static int RootLength(string path)
    {
        if (SchemeOf(path) is { } scheme)
        {
            var slash = path.IndexOf('/', scheme.Length + 3);
            return slash < 0 ? path.Length : slash + 1;
        }
        if (path.Length > 1 && path[1] == ':') return path.Length > 2 && path[2] == '/' ? 3 : 2;
        return path.Length > 0 && path[0] == '/' ? 1 : 0;
    }

    internal static string TrimEnd(string path)
    {
        var root = RootLength(path);
        while (path.Length > root && path[^1] == '/') path = path[..^1];
        return path;
    }
}
