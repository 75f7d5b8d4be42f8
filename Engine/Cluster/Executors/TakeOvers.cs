using Dataflow.Caching;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>
/// Takes over what a worker that leaves keeps: fetches its map outputs into the folder of this executor's worker, and its cached partitions. One
/// request of the driver after the other, each answered with what is here now.
/// </summary>
/// <param name="reader">Fetches blocks.</param>
/// <param name="cached">Fetches cached partitions.</param>
/// <param name="blocks">Keeps them.</param>
/// <param name="folder">Where map outputs go; null if this executor's end with it.</param>
/// <param name="start">Which application, and its secret.</param>
/// <param name="send">Sends to the driver.</param>
internal sealed class TakeOvers(
    RemoteBlockReader reader, CachedPeers cached, BlockStore blocks, ShuffleFolder? folder, ExecutorStart start, Action<ControlMessage> send) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly BytesInFlight _room = new();
    private readonly CancellationTokenSource _ending = new();
    private Task _last = Task.CompletedTask;

    /// <summary>Fetches a cached partition.</summary>
    public void Take(CopyBlock copy) => Run(() => CopyAsync(copy), copy.Transfer);

    /// <summary>Fetches map outputs.</summary>
    public void Take(CopyOutputs copy) => Run(() => CopyAsync(copy), copy.Transfer);

    /// <summary>Breaks off. What is half here goes with its shuffle.</summary>
    public void Dispose() => _ending.Cancel();

    // async void, so that a mistake of ours ends the process and does not vanish.
    private async void Run(Func<Task<int[]>> copy, long? transfer)
    {
        var done = new TaskCompletionSource();
        var before = Task.CompletedTask;

        // Copies that nobody waits for need not wait either.
        if (transfer is not null)
        {
            lock (_lock) (before, _last) = (_last, done.Task);
        }
        int[] taken = [];
        try
        {
            await before.ConfigureAwait(false);
            taken = await Task.Run(copy, _ending.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is ObjectDisposedException or OperationCanceledException)
        {
            // The executor ends.
        }
        finally
        {
            done.SetResult();
        }
        if (transfer is { } number) send(new TookOver(number, taken));
    }

    private async Task<int[]> CopyAsync(CopyBlock copy)
    {
        var id = new RddBlockId(copy.Rdd, copy.Partition);
        if (await cached.FetchAsync(new Uri(copy.From), id, _ending.Token).ConfigureAwait(false) is { } fetched) blocks.Add(id, fetched, copy.Replicas, copy.Epoch);
        return [];
    }

    private async Task<int[]> CopyAsync(CopyOutputs copy)
    {
        if (folder is null) return [];
        var names = new List<(BlockName Name, int Output)>();
        for (var i = 0; i < copy.Outputs.Count; i++)
        {
            var (output, start) = (copy.Outputs[i], 0);
            foreach (var end in output.Ends)
            {
                names.Add((BlockName.Shuffle(output.Shuffle, output.Map, output.Writer, start, end), i));
                start = end;
            }
        }
        var taken = new List<int>();
        OutputCopy? file = null;
        try
        {
            var arriving = reader.FetchAsync(new BlockSource(new Uri(copy.From), start.Application, start.Secret), [.. names.Select(name => name.Name)], _room, _ending.Token);
            await foreach (var block in arriving.ConfigureAwait(false))
            {
                using (block)
                {
                    var position = names[block.Index].Output;
                    if (file?.Position != position)
                    {
                        file?.Dispose();
                        file = new OutputCopy(folder, position, copy.Outputs[position]);
                    }
                    if (file.Take(block)) taken.Add(position);
                }
            }
        }
        catch (ClusterException)
        {
            // It has left, or is gone: what is here whole counts.
        }
        finally
        {
            file?.Dispose();
        }
        return [.. taken];
    }

    /// <summary>A map output on its way: the same segments in the same order, in a file of this worker's.</summary>
    private sealed class OutputCopy(ShuffleFolder folder, int position, MovedOutput output) : IDisposable
    {
        private MapFileWriter? _file;
        private int _taken;
        private bool _isDamaged;

        public int Position => position;

        /// <summary>Takes the next piece.</summary>
        /// <returns>Whether the output is here whole now.</returns>
        public bool Take(FetchedBlock block)
        {
            // The others of the request may be sound, and there be room for them.
            if (_isDamaged || block.Failure is not null || block.Name.ReduceEnd != output.Ends[_taken])
            {
                _isDamaged = true;
                return false;
            }
            try
            {
                _file ??= new MapFileWriter(folder, new MapFileId(output.Shuffle, output.Map, output.Writer), output.Ends[^1]);
                foreach (var piece in block.Pieces)
                {
                    if (piece.Part < block.Name.ReduceStart || piece.Part >= block.Name.ReduceEnd) return !(_isDamaged = true);
                    _file.Append(piece.Part, piece.Tag, piece.Rows, piece.Bytes.Span[..piece.Bytes.Length], piece.Bytes.Length, 0);
                }
                if (++_taken < output.Ends.Length) return false;
                _file.Finish();
                return true;
            }
            catch (TempFolderException)
            {
                // A disk that is full takes over nothing: then it is made anew where there is room.
                _isDamaged = true;
                return false;
            }
        }

        public void Dispose() => _file?.Dispose();
    }
}
