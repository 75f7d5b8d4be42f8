namespace Dataflow.Shared;

/// <summary>What the accumulators gathered in one task attempt. Used by the attempt's own thread.</summary>
internal sealed class AccumulatorUpdates
{
    private object?[] _buffers = [];
    private Accumulator?[] _owners = [];

    /// <summary>The buffer of an accumulator in this attempt.</summary>
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
        else if (_owners[id] != accumulator)
        {
            throw new InvalidOperationException(
                $"The accumulators '{_owners[id]!.Name}' and '{accumulator.Name}' have the same number, so one of them belongs to another context. "
                + "Register it with the context whose tasks add to it.");
        }
        return ref _buffers[id];
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
