using Dataflow.Closures;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>
/// A recipe for a partitioned dataset, not the dataset: it answers which partitions it has, how one is computed, which dependencies it
/// reads, which partitioner placed its keys, and where each partition would prefer to run. Immutable once an action has read it.
/// </summary>
/// <remarks>The scheduler reads this untyped part; <see cref="Rdd{T}"/> adds the elements. Lives in the driver program only.</remarks>
public abstract class Rdd : IDriverOnly
{
    [DriverOnly]
    private readonly DataflowContext? _context;
    [DriverOnly]
    private Partition[]? _partitions;
    private Determinacy? _determinacy;
    [DriverOnly]
    private CacheLifetime? _kept;
    private StorageLevel _storageLevel = StorageLevel.None;

    private protected Rdd(DataflowContext context, string operation, Delegate? lambda)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.ThrowIfStopped();
        _context = context;
        Id = context.NewRddId();
        CallSite = CallSite.Here(operation, lambda);
    }

    /// <summary>The context that made it.</summary>
    /// <exception cref="InvalidOperationException">Asked for inside a task on an executor: contexts live in the driver only.</exception>
    public DataflowContext Context =>
        _context ?? throw new InvalidOperationException($"The context of {this} was asked for inside a task. Contexts live in the driver only.");

    /// <summary>A number of its own within the context.</summary>
    public int Id { get; }

    /// <summary>Where in the program it was written, and by which verb. Errors and pages show it.</summary>
    public CallSite CallSite { get; }

    /// <summary>A name given by <c>SetName</c>, or null.</summary>
    public string? Name { get; internal set; }

    /// <summary>The type of its elements.</summary>
    public abstract Type ElementType { get; }

    /// <summary>What it reads.</summary>
    public abstract IReadOnlyList<Dependency> Dependencies { get; }

    /// <summary>Its partitions. Worked out at first use, which may list files or run a sampling job.</summary>
    public IReadOnlyList<Partition> Partitions => PartitionArray;

    /// <summary>How many partitions it has.</summary>
    public int PartitionCount => PartitionArray.Length;

    /// <summary>What placed its keys, or null if nothing is known.</summary>
    public virtual Partitioner? Partitioner => null;

    /// <summary>Where its partitions are kept after they are first computed.</summary>
    public StorageLevel StorageLevel => _storageLevel;

    /// <summary>What each task that computes it takes of its executor, as asked by <c>WithResources</c>; null if nobody asked.</summary>
    [field: DriverOnly]
    public ResourceProfile? Resources { get; internal set; }

    /// <summary>What the objects are called that its tasks keep in the <see cref="Storage.ExecutorState"/>, as said by <c>NearState</c>; null if nobody said.</summary>
    [field: DriverOnly]
    public string? StateName { get; internal set; }

    /// <summary>What its partitions give when computed again.</summary>
    public Determinacy Determinacy => _determinacy ??= Lineage.DeterminacyOf(this);

    /// <summary>Whether a partition may be found where it is kept instead of being computed: reading it must go through
    /// <see cref="Rdd{T}.Read"/>, and narrow operators are not fused across it.</summary>
    /// <summary>Whether readers find its elements somewhere else than in its parents, so that its own step is not run with theirs.</summary>
    internal bool IsKept => _storageLevel != StorageLevel.None || HasCutLineage;

    /// <summary>Whether it is computed by tasks that start together.</summary>
    internal virtual bool IsBarrier => false;

    /// <summary>Whether its elements were written down, so that its parents are not read any more.</summary>
    internal abstract bool HasCutLineage { get; }

    /// <summary>Whether its partitions are those of several others, one after the other.</summary>
    internal virtual bool AppendsInputs => false;

    /// <summary>What it reads as things are now: nothing once its elements are written down.</summary>
    internal IReadOnlyList<Dependency> LiveDependencies => HasCutLineage ? [] : Dependencies;

    internal Determinacy? KnownDeterminacy
    {
        get => _determinacy;
        set => _determinacy = value;
    }

    /// <summary>Whether everything is known that tasks need to know of the shuffles below; see <see cref="Lineage.PrepareAsync"/>.</summary>
    internal bool IsPrepared { get; set; }

    internal Partition[] PartitionArray => _partitions ??= Lineage.PartitionsOf(this);

    internal Partition[]? KnownPartitions
    {
        get => _partitions;
        set => _partitions = value;
    }

    /// <summary>Hosts that hold the data of a partition, best first; empty if it does not matter.</summary>
    /// <param name="partition">One of <see cref="Partitions"/>.</param>
    public virtual IReadOnlyList<string> PreferredLocations(Partition partition) => [];

    /// <summary>Works out the partitions. Called once, on the driver, after those of its narrow parents are known.</summary>
    protected internal abstract Partition[] GetPartitions();

    /// <summary>What its own step makes of the determinacy of what it reads. The default keeps the worst of its parents,
    /// where reading a shuffle makes the order of a determinate parent still determinate: outputs are read in map order.</summary>
    /// <param name="parents">The worst among the parents; <see cref="Determinacy.Determinate"/> for a source.</param>
    protected internal virtual Determinacy GetDeterminacy(Determinacy parents) => parents;

    /// <summary>Writes its elements down and cuts the lineage.</summary>
    internal abstract Task CheckpointAsync(CancellationToken cancellationToken);

    internal void SetStorageLevel(StorageLevel level)
    {
        if (_storageLevel != StorageLevel.None && level != StorageLevel.None && _storageLevel != level)
        {
            throw new InvalidOperationException(
                $"{this} is already kept as {_storageLevel}; its storage level can't be changed to {level}. Call Unpersist first.");
        }
        _storageLevel = level;
        _kept ??= level.IsKept ? new CacheLifetime(Context, Id) : null;
    }

    /// <summary>Name or verb, id and call site: <c>Map at Program.cs:13</c>.</summary>
    public override string ToString() => Name is null ? CallSite.ToString() : $"{Name} ({CallSite})";
}
