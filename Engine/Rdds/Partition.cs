namespace Dataflow;

/// <summary>
/// One slice of a dataset, holding all that computing it needs: the elements themselves, a byte range of a file,
/// a range of a shuffle. It travels with its own task, so the code of a stage never holds the list of them.
/// </summary>
/// <param name="Index">Position among the partitions of its Rdd, from 0.</param>
public abstract record Partition(int Index);

/// <summary>A partition that needs nothing but its number.</summary>
/// <param name="Index">Position among the partitions of its Rdd, from 0.</param>
public sealed record IndexPartition(int Index) : Partition(Index);

/// <summary>A range of reduce partitions, read from a range of map outputs of one shuffle.</summary>
/// <remarks>
/// An ordinary shuffled partition reads one reduce partition of all map outputs. Several reduce partitions in one range coalesce
/// small ones; one reduce partition read from several ranges of map outputs splits a large one.
/// </remarks>
/// <param name="Index">Position among the partitions of its Rdd, from 0.</param>
/// <param name="ReduceStart">First reduce partition, inclusive.</param>
/// <param name="ReduceEnd">Last reduce partition, exclusive.</param>
/// <param name="MapStart">First map output, inclusive.</param>
/// <param name="MapEnd">Last map output, exclusive; <see cref="int.MaxValue"/> means all.</param>
public sealed record ShuffleReadPartition(int Index, int ReduceStart, int ReduceEnd, int MapStart = 0, int MapEnd = int.MaxValue)
    : Partition(Index);

/// <summary>A partition that is computed from partitions of several parents (zip, cogroup, cartesian, coalesce).</summary>
/// <param name="Index">Position among the partitions of its Rdd, from 0.</param>
/// <param name="Parents">The parent partitions in the order their Rdd defines; null where that parent is read through a shuffle.</param>
public sealed record CompositePartition(int Index, Partition?[] Parents) : Partition(Index);

/// <summary>A partition of one of the Rdds that a union appends.</summary>
/// <param name="Index">Position among the partitions of the union, from 0.</param>
/// <param name="Input">Which of the united Rdds it comes from, from 0.</param>
/// <param name="Parent">The partition of that Rdd.</param>
public sealed record UnionPartition(int Index, int Input, Partition Parent) : Partition(Index);

/// <summary>A partition whose elements travel in it.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Index">Position among the partitions of its Rdd, from 0.</param>
/// <param name="Slice">The elements; never written to.</param>
public sealed record SlicePartition<T>(int Index, ReadOnlyMemory<T> Slice) : Partition(Index);
