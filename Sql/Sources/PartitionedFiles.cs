using System.Globalization;
using Dataflow.Files;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Writing;

namespace Dataflow.Sql.Sources;

/// <summary>The files of a table, and the values that the names of their folders give to all rows of each: <c>sales/year=2024/month=1/a.parquet</c>.</summary>
/// <param name="Columns">The columns that folders name; none if the folders name none.</param>
/// <param name="Files">The files, each with a value for each of those columns.</param>
internal sealed record PartitionedFiles(ValueList<Field> Columns, IReadOnlyList<(FileEntry Entry, ValueList<Literal> Values)> Files)
{
    /// <summary>Finds files. A folder that holds folders named <c>column=value</c> stands for all files below it.</summary>
    /// <param name="path">A file, a folder, a pattern, or several with commas between them.</param>
    /// <param name="timeZone">The zone of times.</param>
    /// <exception cref="InputException">Nothing is there, or it may not be read.</exception>
    /// <exception cref="QueryException">Folders beside each other name different columns.</exception>
    public static PartitionedFiles Find(string path, string timeZone = "UTC")
    {
        var paths = new InputPaths(path);
        if (Root(path) is not { } root) return new PartitionedFiles([], [.. paths.Find().Select(entry => (entry, ValueList<Literal>.Empty))]);
        var found = new List<(FileEntry Entry, List<(string Name, string? Value)> Values)>();
        Walk(FileSystems.For(root), root, [], found);
        if (found.Count == 0) return new PartitionedFiles([], []);
        var names = found[0].Values.ConvertAll(value => value.Name);
        foreach (var (entry, values) in found)
        {
            if (values.Select(value => value.Name).SequenceEqual(names, StringComparer.OrdinalIgnoreCase)) continue;
            throw new QueryException(
                "CONFLICTING_DIRECTORY_STRUCTURES",
                $"The folders above '{found[0].Entry.Path}' name the columns ({string.Join(", ", names)}), those above '{entry.Path}' ({string.Join(", ", values.Select(value => value.Name))}). "
                + "All files of a table must lie in folders of the same columns.");
        }
        var zone = Zone.Find(timeZone) ?? throw new QueryException("INVALID_TIMEZONE", $"There is no time zone '{timeZone}'.");
        var types = names.Select((_, i) => TypeOf(found.Select(file => file.Values[i].Value), zone)).ToArray();
        return new PartitionedFiles(
            [.. names.Select((name, i) => new Field(name, types[i], found.Exists(file => file.Values[i].Value is null)))],
            [.. found.Select(file => (file.Entry, new ValueList<Literal>(file.Values.Select((value, i) => Parse(value.Value, types[i], zone)))))]);
    }

    /// <summary>The columns that folders below a folder name, outermost first; null if there is nothing in it that is read.</summary>
    public static ValueList<string>? ColumnsOf(string folder)
    {
        var system = FileSystems.For(folder);
        if (system.Find(folder) is not { IsFolder: true }) return null;
        var entries = system.List(folder).Where(entry => IsPartition(entry) || !FilePath.IsHidden(FilePath.NameOf(entry.Path))).ToArray();
        if (entries.Length == 0) return null;
        if (Array.Find(entries, IsPartition) is not { } first) return [];
        var name = FilePath.NameOf(first.Path);
        return [Uri.UnescapeDataString(name[..name.IndexOf('=')]), .. ColumnsOf(first.Path) ?? []];
    }

    // The folder that a path names, if folders in it name values.
    private static string? Root(string path)
    {
        if (Glob.IsPattern(path)) return null;
        var system = FileSystems.For(path);
        var full = system.Resolve(path, Environment.CurrentDirectory);
        return system.Find(full) is { IsFolder: true } && system.List(full).Any(IsPartition) ? full : null;
    }

    private static bool IsPartition(FileEntry entry) => entry.IsFolder && FilePath.NameOf(entry.Path) is var name && name[0] != '.' && name.IndexOf('=') > 0;

    private static void Walk(IFileSystem system, string folder, List<(string Name, string? Value)> values, List<(FileEntry, List<(string, string?)>)> found)
    {
        foreach (var entry in system.List(folder))
        {
            var name = FilePath.NameOf(entry.Path);
            if (FilePath.IsHidden(name) && !IsPartition(entry)) continue;
            if (!entry.IsFolder)
            {
                found.Add((entry, values));
                continue;
            }
            if (!IsPartition(entry))
                throw new InputException($"The folder '{entry.Path}' is not named as 'column=value', but folders beside or above it are. Move it elsewhere, or read files below it with a pattern.", entry.Path);
            var at = name.IndexOf('=');
            var value = Uri.UnescapeDataString(name[(at + 1)..]);
            Walk(system, entry.Path, [.. values, (Uri.UnescapeDataString(name[..at]), value == PartitionFolder.NullName ? null : value)], found);
        }
    }

    // The narrowest type that all values have.
    private static DataType TypeOf(IEnumerable<string?> values, Zone zone)
    {
        var texts = values.OfType<string>().ToArray();
        foreach (var type in (DataType[])[DataType.Int, DataType.BigInt, DataType.Double, DataType.Date, DataType.Timestamp])
        {
            if (texts.Length > 0 && Array.TrueForAll(texts, text => Value(text, type, zone) is not null)) return type;
        }
        return DataType.String;
    }

    private static Literal Parse(string? text, DataType type, Zone zone) => new(text is null ? null : Value(text, type, zone), type);

    private static object? Value(string text, DataType type, Zone zone)
    {
        var culture = CultureInfo.InvariantCulture;
        return type.Kind switch
        {
            TypeKind.Int => int.TryParse(text, NumberStyles.AllowLeadingSign, culture, out var value) ? value : null,
            TypeKind.BigInt => long.TryParse(text, NumberStyles.AllowLeadingSign, culture, out var value) ? value : null,
            TypeKind.Double => double.TryParse(text, NumberStyles.Float, culture, out var value) && double.IsFinite(value) ? value : null,
            TypeKind.Date => DateOnly.TryParseExact(text, "yyyy-MM-dd", culture, DateTimeStyles.None, out var day) ? CivilDate.DaysOf(day.Year, day.Month, day.Day) : null,
            // As Spark writes them; looser forms would make times of names.
            TypeKind.Timestamp => DateTime.TryParseExact(text, "yyyy-MM-dd HH:mm:ss.FFFFFF", culture, DateTimeStyles.None, out var time) ? zone.ToInstant((time - DateTime.UnixEpoch).Ticks / 10) : null,
            _ => text,
        };
    }
}
