using Dataflow.Tasks;

namespace Dataflow.Files;

/// <summary>Where the tasks of one job write; it travels with them. Made by <see cref="AtomicOutput.Begin"/>.</summary>
/// <param name="Path">Full path of the output.</param>
/// <param name="Temporary">Full path of the job's own folder beside it, which is gone when the job ends, however it ends.</param>
/// <param name="Partitions">How many partitions write.</param>
/// <param name="PartSuffix">Keeps the names of parts apart from those of other jobs when output is appended; empty otherwise.</param>
public sealed record OutputPlan(string Path, string Temporary, int Partitions, string PartSuffix)
{
    internal const string MarkerName = "_job";
    internal const string PartPrefix = "part-";

    /// <summary>Whether files are on the disk, and not only with the system, when they count.</summary>
    public bool IsDurable { get; init; }

    internal string MarkerPath => FilePath.Combine(Temporary, MarkerName);

    /// <summary>The name of a partition's file: <c>part-00012</c>, as wide as the last one needs, so that names sort as numbers do.</summary>
    /// <param name="partition">Index of the partition.</param>
    /// <param name="extension">Such as <c>.gz</c>; may be empty.</param>
    public string PartName(int partition, string extension)
    {
        var digits = Math.Max(5, (Partitions - 1).ToString(System.Globalization.CultureInfo.InvariantCulture).Length);
        return $"{PartPrefix}{partition.ToString($"D{digits}", System.Globalization.CultureInfo.InvariantCulture)}{PartSuffix}{extension}";
    }

    /// <summary>Begins what one task attempt writes.</summary>
    /// <param name="context">The running task.</param>
    /// <exception cref="OutputException">The job has ended meanwhile, or this host does not see its folder.</exception>
    public TaskOutput OpenTask(TaskContext context) => new(this, context);
}

/// <summary>What one task wrote. The driver makes exactly these files final, so no other attempt's can slip in.</summary>
/// <param name="Partition">Index of the partition.</param>
/// <param name="Folder">The attempt's own folder.</param>
/// <param name="Files">Its files, in the order in which they were completed.</param>
public sealed record TaskCommit(int Partition, string Folder, WrittenFile[] Files);

/// <summary>A file that a task wrote.</summary>
/// <param name="Name">Its name within the output; may have folders in it.</param>
/// <param name="Bytes">Its length in bytes.</param>
/// <param name="Records">Records in it.</param>
public sealed record WrittenFile(string Name, long Bytes, long Records);
