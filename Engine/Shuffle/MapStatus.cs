using Dataflow.Scheduling;

namespace Dataflow.Shuffle;

/// <summary>One output of a map task: copies and later attempts write others, which need not have the same rows.</summary>
/// <param name="Server">The server that registered it and answers for it.</param>
/// <param name="Writer">The attempt that wrote it.</param>
public sealed record MapLocation(WorkerId Server, TaskId Writer);

/// <summary>What the driver knows of one map output: where it is and how large each part is.</summary>
/// <param name="Location">Who serves it, and who wrote it.</param>
/// <param name="Bytes">Bytes of each reduce partition's segments, by reduce partition.</param>
/// <param name="Rows">Rows of each reduce partition's segments, by reduce partition.</param>
/// <param name="Checksum">A checksum of all rows that does not depend on their order or on how they were cut into segments;
/// 0 when the dependency does not compute one. Two outputs of the same determinate task must agree.</param>
public sealed record MapStatus(MapLocation Location, long[] Bytes, long[] Rows, ulong Checksum);
