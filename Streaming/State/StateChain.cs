using System.Globalization;

namespace Dataflow.Streaming.State;

/// <summary>
/// The files that make the state of a partition, the oldest first: runs of what was put away, then a snapshot of what is in memory, then what changed since. Their names
/// are <c>BATCH-PARTITION-ATTEMPT.KIND</c>, of parts <c>BATCH-PARTITION-ATTEMPT-NUMBER.part</c>; where changes of several batches were made one file, the number says of how many files.
/// Changes that stand behind others in their file are <c>BATCH-PARTITION-ATTEMPT.delta@OFFSET</c>.
/// </summary>
/// <remarks>Versions before had a folder for each batch, <c>BATCH/PARTITION-ATTEMPT.KIND</c>: their files are read where they are.</remarks>
internal static class StateChain
{
    /// <summary>The name of a file.</summary>
    public static string NameOf(long batch, int partition, string attempt, StateFileKind kind, int number) => kind is StateFileKind.Part or StateFileKind.Merged
        ? string.Create(CultureInfo.InvariantCulture, $"{batch}-{partition:D4}-{attempt}-{number:D4}{ExtensionOf(kind)}")
        : string.Create(CultureInfo.InvariantCulture, $"{batch}-{partition:D4}-{attempt}{ExtensionOf(kind)}");

    /// <summary>The batch that a file, or a folder of files, in an operator's folder is of; null if it is none of state.</summary>
    public static long? BatchOf(string entry) => long.TryParse(entry.AsSpan(0, entry.IndexOf('-') is var end and >= 0 ? end : entry.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var batch) ? batch : null;

    /// <summary>What stands in the operator's folder for a file: itself, or the folder of its batch.</summary>
    public static string EntryOf(string file) => file.IndexOf('/') is var slash and >= 0 ? file[..slash] : StateFile.Split(file).Path;

    /// <summary>Whether a file holds what was put away.</summary>
    public static bool IsPutAway(string file) => KindOf(file) is StateFileKind.Run or StateFileKind.Part or StateFileKind.Base;

    /// <summary>What a file holds; null if it is none of state.</summary>
    public static StateFileKind? KindOf(string file)
    {
        var path = StateFile.Split(file).Path;
        foreach (var kind in Enum.GetValues<StateFileKind>())
        {
            if (path.EndsWith(ExtensionOf(kind), StringComparison.Ordinal)) return kind;
        }
        return null;
    }

    /// <summary>The chains of an operator after a batch.</summary>
    /// <param name="chains">By partition: those before.</param>
    /// <param name="written">Names of the files that tasks wrote, in the order in which these succeeded: the last of a partition counts.</param>
    public static string[][] After(string[][] chains, IEnumerable<string> written)
    {
        var files = written.Where(file => KindOf(file) is not null).ToArray();
        var last = new Dictionary<int, string>();
        foreach (var file in files.Where(file => KindOf(file) != StateFileKind.Part)) last[int.Parse(PartsOf(file)[0], CultureInfo.InvariantCulture)] = file;
        return [.. chains.Select((chain, partition) => last.TryGetValue(partition, out var file) ? After(chain, files.Where(part => IsPartOf(part, file)).Order(StringComparer.Ordinal), file) : chain)];
    }

    private static string[] After(string[] chain, IEnumerable<string> parts, string file)
    {
        string[] away = [.. parts];
        if (KindOf(file) == StateFileKind.Base) return [file];
        if (KindOf(file) == StateFileKind.Merged) return [.. chain[..^int.Parse(PartsOf(file)[2], CultureInfo.InvariantCulture)], file];
        if (KindOf(file) == StateFileKind.Delta && away.Length == 0) return [.. chain, file];
        return [.. chain.TakeWhile(IsPutAway), .. away, file];
    }

    private static bool IsPartOf(string part, string file) => KindOf(part) == StateFileKind.Part && PartsOf(part)[..2].SequenceEqual(PartsOf(file)[..2]);

    // Partition, attempt, number.
    private static string[] PartsOf(string file) => Path.GetFileNameWithoutExtension(file).Split('-')[(file.Contains('/') ? 0 : 1)..];

    private static string ExtensionOf(StateFileKind kind) => kind switch
    {
        StateFileKind.Delta => ".delta",
        StateFileKind.Merged => ".merged",
        StateFileKind.Snapshot => ".snapshot",
        StateFileKind.Run => ".run",
        StateFileKind.Part => ".part",
        _ => ".base",
    };
}
