using Dataflow.Cluster;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Shuffle;

namespace Dataflow.Simulation;

// What it takes over of workers that leave.
internal sealed partial class SimulatedExecutor
{
    private void TakeOver(CopyOutputs copy) => _world.Time.After(_cluster.Network.Latency() + _world.Milliseconds(1, 400), () =>
    {
        if (IsDead) return;
        var source = _cluster.Find(new Uri(copy.From));
        var taken = new List<int>();
        for (var i = 0; i < copy.Outputs.Count && !source.IsDead && _cluster.Network.IsWhole(Machine.Number, source.Machine.Number); i++)
        {
            if (_folder is not null && TryCopy(source, copy.Outputs[i])) taken.Add(i);
        }
        _world.Note("executor {0} has taken over {1} of {2} outputs", Id.Value, taken.Count, copy.Outputs.Count);
        _driver.Send(new TookOver(copy.Transfer, [.. taken]));
    });

    private bool TryCopy(IOutputServer source, MovedOutput output)
    {
        try
        {
            using var file = new MapFileWriter(_folder!, new MapFileId(output.Shuffle, output.Map, output.Writer), output.Ends[^1]);
            var start = 0;
            foreach (var end in output.Ends)
            {
                using var block = source.Open(BlockName.Shuffle(output.Shuffle, output.Map, output.Writer, start, end));
                if (block is null) return false;
                while (block.TryNext(out var piece))
                {
                    var segment = Segments.Read(piece, _services.Pool);
                    try
                    {
                        using var view = segment.Body.Open();
                        file.Append(piece.Part, piece.Tag, piece.Rows, view.Bytes, piece.RawLength, 0);
                    }
                    finally
                    {
                        segment.Body.Free();
                    }
                }
                start = end;
            }
            file.Finish();
            return true;
        }
        catch (Exception error) when (error is CorruptDataException or TempFolderException)
        {
            return false;
        }
    }
}
