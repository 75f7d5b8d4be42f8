namespace Dataflow.Cluster;

/// <summary>How a driver program lets workers in.</summary>
public sealed record ClusterOptions
{
    /// <summary>The defaults.</summary>
    public static ClusterOptions Default { get; } = new();

    /// <summary>The cluster's token: at least 16 characters that driver and workers share. Needed for any address but loopback. Never sent, never
    /// logged. Null, the default, takes the variable <c>DATAFLOW_TOKEN</c> if it is set.</summary>
    public string? Token { get; init; }

    /// <summary>Memory of each executor in bytes, heap and engine data together; null, the default, takes all that its worker offers.</summary>
    public long? ExecutorMemoryBytes { get; init; }

    /// <summary>The options of the application.</summary>
    public DataflowOptions Application { get; init; } = DataflowOptions.Default;

    /// <summary>The folder with the assemblies of the program; null, the default, is that of the running program.</summary>
    public string? CodeFolder { get; init; }

    /// <summary>The host name or address by which workers reach the driver; null, the default, takes the one that is listened on, or the machine's
    /// name when that is any address.</summary>
    public string? AdvertisedHost { get; init; }

    internal ClusterToken? ReadToken() => Token is { } token ? ClusterToken.Parse(token) : ClusterToken.FromEnvironment();
}
