using Dataflow.Scheduling;

namespace Dataflow.Shuffle;

/// <summary>What the driver knows of one map output: who serves it and how large each part is.</summary>
/// <param name="Server">The server that registered it and answers for it.</param>
/// <param name="Bytes">Bytes of each reduce partition's segments, by reduce partition.</param>
/// <param name="Rows">Rows of each reduce partition's segments, by reduce partition.</param>
/// <param name="Checksum">A checksum of all rows that does not depend on their order or on how they were cut into segments;
/// 0 when the dependency does not compute one. Two outputs of the same determinate task must agree.</param>
public sealed record MapStatus(WorkerId Server, long[] Bytes, long[] Rows, ulong Checksum);
