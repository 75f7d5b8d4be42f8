using Dataflow.Jobs;

namespace Dataflow.Scheduling;

/// <summary>In what order jobs that run at the same time get slots.</summary>
public enum SchedulingMode
{
    /// <summary>The first job takes what it can use, the next one what is left.</summary>
    Fifo,

    /// <summary>Pools share the slots by their weights. A job names its pool (<see cref="JobProperties.Pool"/>).</summary>
    Fair,
}

/// <summary>A pool of jobs and its share of the slots.</summary>
public sealed record PoolOptions
{
    /// <summary>The pool of jobs that name none.</summary>
    public const string DefaultName = "default";

    private readonly string _name = DefaultName;
    private readonly double _weight = 1;
    private readonly int _minShare;

    /// <summary>Its name.</summary>
    public required string Name
    {
        get => _name;
        init
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value, nameof(Name));
            _name = value;
        }
    }

    /// <summary>Its part of the slots, beside the weights of the other pools that want some; more than 0. Default 1.</summary>
    public double Weight
    {
        get => _weight;
        init => _weight = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(Weight), value, "Weight must be more than 0.");
    }

    /// <summary>Slots that it gets before the others share by weight. Default 0.</summary>
    public int MinShare
    {
        get => _minShare;
        init => _minShare = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(MinShare), value, "MinShare must not be negative.");
    }

    /// <summary>How jobs within the pool are served. Default <see cref="SchedulingMode.Fifo"/>.</summary>
    public SchedulingMode Mode { get; init; }
}
