namespace Dataflow.Files;

/// <summary>A part of a file, with what the file looked like when the job was planned.</summary>
/// <param name="Path">Full path of the file.</param>
/// <param name="Offset">Where the part begins, in bytes.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="FileLength">Length of the whole file in bytes. A file that has another when it is read is an error.</param>
/// <param name="Compressed">Whether its bytes must be decompressed; it is then read from its start to its end.</param>
public sealed record FileSlice(string Path, long Offset, long Length, long FileLength, bool Compressed = false);

/// <summary>A partition read from files: one part of a large file, or several small ones.</summary>
/// <param name="Index">Position among the partitions of its Rdd, from 0.</param>
/// <param name="Slices">The parts, in the order of their elements.</param>
/// <param name="Hosts">Hosts that hold most of its bytes, best first; empty if it does not matter.</param>
public sealed record FilePartition(int Index, FileSlice[] Slices, string[] Hosts) : Partition(Index);
