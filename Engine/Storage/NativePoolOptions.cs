namespace Dataflow.Storage;

/// <summary>How a <see cref="NativePool"/> behaves.</summary>
public sealed record NativePoolOptions
{
    /// <summary>Ask the system for huge pages (2 MB): fewer page faults and TLB misses for large tables, memory is taken in steps of 2 MB.
    /// Linux only, where the system allows it. Default off.</summary>
    public bool HugePages { get; init; }

    /// <summary>Bytes of free buffers kept at hand before the rest is given back to the system. Default 64 MB, or a quarter of what is rented
    /// if that is more.</summary>
    public long IdleBytes { get; init; } = 64L << 20;

    /// <summary>Fill rented buffers with 0xCD and returned ones with 0xDD, and check when a buffer is rented again that nobody wrote to it in
    /// between. Finds use after free; costs a pass over each buffer. Default: environment variable <c>DATAFLOW_DEBUG_MEMORY=1</c>.</summary>
    public bool DebugFill { get; init; } = FromEnvironment;

    /// <summary>Remember who rented each buffer, for <see cref="NativePool.LeakReport"/>. Default: environment variable
    /// <c>DATAFLOW_DEBUG_MEMORY=1</c>.</summary>
    public bool TrackOwners { get; init; } = FromEnvironment;

    private static bool FromEnvironment { get; } = Environment.GetEnvironmentVariable("DATAFLOW_DEBUG_MEMORY") == "1";
}
