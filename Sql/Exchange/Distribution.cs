namespace Dataflow.Sql.Exchange;

/// <summary>How an exchange places rows.</summary>
public abstract record Distribution(int Partitions);

/// <summary>Rows with equal keys come to the same partition.</summary>
/// <param name="Keys">Positions of the key columns.</param>
/// <param name="Partitions">How many partitions.</param>
public sealed record HashDistribution(ValueList<int> Keys, int Partitions) : Distribution(Partitions)
{
    /// <summary>Whether rows of a partition are told apart by hash range, for readers that take one range after the other.</summary>
    public bool HasRanges { get; init; }

    /// <summary>As <c>hash(0, 1) to 8</c>.</summary>
    public override string ToString() => $"hash({Keys}) to {Partitions}";
}

/// <summary>All rows come to one partition.</summary>
public sealed record SingleDistribution() : Distribution(1)
{
    /// <summary>As <c>single</c>.</summary>
    public override string ToString() => "single";
}

/// <summary>Rows are spread evenly, whatever they are.</summary>
/// <param name="Partitions">How many partitions.</param>
public sealed record RoundRobinDistribution(int Partitions) : Distribution(Partitions)
{
    /// <summary>As <c>round robin to 8</c>.</summary>
    public override string ToString() => $"round robin to {Partitions}";
}
