namespace Dataflow.Cluster;

/// <summary>How a driver program lets workers in.</summary>
public sealed record ClusterOptions
{
    /// <summary>The defaults.</summary>
    public static ClusterOptions Default { get; } = new();

    /// <summary>The cluster's token: at least 16 characters that driver and workers share. Needed for any address but loopback. Never sent, never
    /// logged. Null, the default, takes the variable <c>DATAFLOW_TOKEN</c> if it is set.</summary>
    public string? Token { get; init; }

    /// <summary>Tasks that each executor runs at once; 0, the default, takes all cores of its worker that are free.</summary>
    public int ExecutorCores { get; init; }

    /// <summary>Memory of each executor in bytes, heap and engine data together; workers that offer less are passed over. Null, the default, takes the
    /// part of its worker's that goes with its cores.</summary>
    public long? ExecutorMemoryBytes { get; init; }

    /// <summary>The options of the application.</summary>
    public DataflowOptions Application { get; init; } = DataflowOptions.Default;

    /// <summary>The folder with the assemblies of the program; null, the default, is that of the running program.</summary>
    public string? CodeFolder { get; init; }

    /// <summary>The host name or address by which workers reach the driver; null, the default, takes the one that is listened on, or the machine's
    /// name when that is any address.</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>TLS of the driver's port and of all that it dials; null, the default, takes the variables of <see cref="TlsFiles.FromEnvironment"/>, or none. Workers
    /// need the same.</summary>
    public TlsFiles? Tls { get; init; }

    internal TlsOptions? ReadTls() => (Tls ?? TlsFiles.FromEnvironment())?.Load();

    internal ClusterToken? ReadToken() => Token is { } token ? ClusterToken.Parse(token) : ClusterToken.FromEnvironment();
}
