using System.Buffers;

namespace Dataflow.Collectives;

/// <summary>What a message is for; all of it travels before the bytes.</summary>
/// <param name="Gang">The attempt at the stage. What is of another attempt is dropped.</param>
/// <param name="From">Index of the task that sends.</param>
/// <param name="To">Index of the task that it is for; <see cref="All"/> for all tasks of the process that receives.</param>
/// <param name="Call">What the sender called.</param>
/// <param name="Sequence">Counts the calls of each task, from 0.</param>
/// <param name="Part">Which message of the call.</param>
/// <param name="Length">Bytes that the sender's call is about, of which the message may be a part.</param>
internal readonly record struct PeerHeader(GangId Gang, int From, int To, CollectiveCall Call, int Sequence, int Part, long Length)
{
    public const int All = -1;
}

/// <summary>One attempt at a barrier stage.</summary>
internal readonly record struct GangId(int Stage, int Attempt);

/// <summary>What a task called. Named as in the program: errors show it.</summary>
internal enum CollectiveCall : byte
{
    /// <summary>None: the task has ended, and no message of it follows.</summary>
    Ended,
    Barrier,
    AllReduce,
    ReduceScatter,
    AllGather,
    Broadcast,
}

/// <summary>Bytes of another task, in an array that is lent.</summary>
internal sealed class PeerMessage
{
    private readonly byte[] _array;
    private readonly int _length;
    private int _readers;

    /// <param name="header">What it is for.</param>
    /// <param name="array">From the shared pool; it goes back there.</param>
    /// <param name="length">Bytes of it.</param>
    /// <param name="readers">How many release it.</param>
    public PeerMessage(PeerHeader header, byte[] array, int length, int readers)
    {
        Header = header;
        _array = array;
        _length = length;
        _readers = readers;
    }

    public PeerHeader Header { get; }

    public ReadOnlySpan<byte> Bytes => _array.AsSpan(0, _length);

    /// <summary>Called once by each reader.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _readers) == 0) ArrayPool<byte>.Shared.Return(_array);
    }
}
