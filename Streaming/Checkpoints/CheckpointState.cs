namespace Dataflow.Streaming;

/// <summary>Which side of a join of streams.</summary>
public enum StateJoinSide
{
    /// <summary>The left.</summary>
    Left,

    /// <summary>The right.</summary>
    Right,
}

/// <summary>What a checkpoint says of its query and of the state that can be read (<c>context.ReadStateMetadata</c>).</summary>
/// <param name="QueryId">The query, from its first start on.</param>
/// <param name="OutputMode">Which rows it gives.</param>
/// <param name="StatePartitions">In how many partitions state is kept.</param>
/// <param name="Batches">The batches after which the state can be read, ascending; the last is the last that is done. State files of earlier batches go as the query goes on.</param>
/// <param name="PlannedBatch">A batch that was begun and is not done; null for none.</param>
/// <param name="Watermark">That of the last batch that is done; null for none.</param>
/// <param name="Sources">What it reads.</param>
/// <param name="Operators">What has state.</param>
public sealed record CheckpointState(
    Guid QueryId, OutputMode OutputMode, int StatePartitions, IReadOnlyList<long> Batches, long? PlannedBatch, DateTimeOffset? Watermark, IReadOnlyList<CheckpointSource> Sources,
    IReadOnlyList<CheckpointOperator> Operators);

/// <summary>A stream that the query of a checkpoint reads.</summary>
/// <param name="Name">The stream.</param>
/// <param name="Offset">Where the next batch begins, as the source writes it; null for the beginning.</param>
public sealed record CheckpointSource(string Name, string? Offset);

/// <summary>A part of the query of a checkpoint that has state.</summary>
/// <param name="Number">Its number, from 0: what <c>ReadState</c> takes.</param>
/// <param name="Kind"><c>aggregate</c>, <c>distinct</c>, <c>join</c>, <c>sessions</c> or <c>groups</c>.</param>
/// <param name="Description">What it computes.</param>
/// <param name="Partitions">In how many partitions its state lies: 1 where it has no keys.</param>
/// <param name="Schema">The columns that <c>ReadState</c> gives; of a join those of the left side.</param>
/// <param name="RightSchema">Those of the right side of a join; null for others.</param>
public sealed record CheckpointOperator(int Number, string Kind, string Description, int Partitions, Schema Schema, Schema? RightSchema);
