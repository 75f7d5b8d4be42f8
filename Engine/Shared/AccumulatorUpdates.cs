using Dataflow.Serialization;

namespace Dataflow.Shared;

/// <summary>What the accumulators gathered in one task attempt. Used by the attempt's own thread.</summary>
internal sealed class AccumulatorUpdates
{
    private object?[] _buffers = [];
    private Accumulator?[] _owners = [];

    /// <summary>The buffer of an accumulator in this attempt. An executor may have several copies of one, which came with the code of several
    /// stages or with a broadcast: they share it.</summary>
    public ref object? BufferOf(Accumulator accumulator)
    {
        var id = accumulator.Id;
        if (id >= _buffers.Length)
        {
            Array.Resize(ref _buffers, id + 4);
            Array.Resize(ref _owners, id + 4);
        }
        if (_buffers[id] is null)
        {
            _buffers[id] = accumulator.NewBuffer();
            _owners[id] = accumulator;
        }
        else if (_owners[id]!.Home != accumulator.Home)
        {
            throw new InvalidOperationException(
                $"The accumulators '{_owners[id]!.Name}' and '{accumulator.Name}' have the same number, so one of them belongs to another context. "
                + "Register it with the context whose tasks add to it.");
        }
        return ref _buffers[id];
    }

    /// <summary>Whether nothing was gathered.</summary>
    public bool IsEmpty => Array.TrueForAll(_buffers, static buffer => buffer is null);

    /// <summary>Writes everything, on the executor.</summary>
    /// <exception cref="CodecException">What an accumulator gathered can't be encoded.</exception>
    public void Write(BlockWriter writer)
    {
        for (var i = 0; i < _buffers.Length; i++)
        {
            if (_buffers[i] is not { } buffer) continue;
            writer.WriteVarUInt((uint)i + 1);
            using var block = new BlockWriter(capacity: 256);
            _owners[i]!.WriteBuffer(block, buffer);
            writer.WriteVarUInt((uint)block.Length);
            writer.WriteBytes(block.Written);
        }
        writer.WriteVarUInt(0);
    }

    /// <summary>Reads what an executor wrote, on the driver, each buffer as what its accumulator gathers.</summary>
    /// <param name="reader">Stands where <see cref="Write"/> began.</param>
    /// <param name="find">The driver's accumulator of that number; null if the program has dropped it: nobody can ask for its value then.</param>
    public static AccumulatorUpdates Read(ref BlockReader reader, Func<int, Accumulator?> find)
    {
        var updates = new AccumulatorUpdates();
        while (reader.ReadVarUInt() is > 0 and var next)
        {
            var block = new BlockReader(reader.ReadBytes((int)reader.ReadVarUInt()));
            if (find((int)next - 1) is { } accumulator) updates.BufferOf(accumulator) = accumulator.ReadBuffer(ref block);
        }
        return updates;
    }

    /// <summary>Adds everything to the totals. Called on the driver, once per task that succeeds.</summary>
    public void Merge()
    {
        for (var i = 0; i < _buffers.Length; i++)
        {
            if (_buffers[i] is { } buffer) _owners[i]!.MergeBuffer(buffer);
        }
    }
}
