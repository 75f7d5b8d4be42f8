using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>Fetches map outputs that other workers serve: all that a task needs of one server with one request. Those of a worker of the same machine are read
/// from its files, which costs a third.</summary>
/// <remarks>What has arrived is held like runs of the task itself, so it may go to disk while the rest arrives.</remarks>
/// <param name="reader">Fetches blocks.</param>
/// <param name="locations">Where servers are.</param>
/// <param name="host">Name of this machine.</param>
/// <param name="scope">The application.</param>
/// <param name="secret">Its secret.</param>
/// <param name="time">Measures how long tasks wait.</param>
internal sealed class ShuffleFetcher(
    RemoteBlockReader reader, ExecutorMapOutputs locations, string host, string scope, ClusterToken secret, TimeProvider time) : IShuffleFetcher
{
    public MapOutput[] Fetch(
        ShuffleId shuffle, IReadOnlyList<(int Map, MapLocation Location)> wanted, int reduceStart, int reduceEnd, TaskContext context)
    {
        var outputs = new MapOutput[wanted.Count];
        var fetched = new List<MapOutput>();
        context.OnCompletion(done => fetched.ForEach(done.Services.Shuffles.Abandon));
        foreach (var group in Enumerable.Range(0, wanted.Count).GroupBy(i => wanted[i].Location.Server))
        {
            var server = locations.Find(group.Key) ?? throw Lost(wanted[group.First()], FetchFailure.Unreachable, "nobody knows where its server is");
            var elsewhere = group.Where(i => (outputs[i] = FindNear(server, wanted[i])!) is null).ToArray();
            if (elsewhere.Length > 0) Fetch(server, elsewhere);
        }
        return outputs;

        // Another machine of the same name, in a container say, has no such file: the numbers in its name are given once.
        MapOutput? FindNear(BlockServer server, (int Map, MapLocation Location) output)
        {
            if (server.Folder is not { } folder || server.Host != host) return null;
            try
            {
                return context.Services.Shuffles.FindIn(folder, shuffle, output.Map, output.Location.Writer);
            }
            catch (CorruptDataException error)
            {
                throw Lost(output, FetchFailure.Corrupt, error.Message);
            }
            catch (TempFolderException)
            {
                // Not ours to read, perhaps: its server is asked for it.
                return null;
            }
        }

        void Fetch(BlockServer server, int[] positions)
        {
            var first = wanted[positions[0]];
            var names = Array.ConvertAll(
                positions, i => BlockName.Shuffle(shuffle, wanted[i].Map, wanted[i].Location.Writer, reduceStart, reduceEnd));
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, locations.LossOf(server.Server));
            var blocks = reader.FetchAsync(new BlockSource(new Uri(server.DataUrl), scope, secret), names, new BytesInFlight(), either.Token)
                .GetAsyncEnumerator(either.Token);
            try
            {
                // On the slot's own thread, which has nothing to do until its input is there.
                while (Next())
                {
                    using var block = blocks.Current;
                    var position = positions[block.Index];
                    if (block.Failure is { } failure) throw Lost(wanted[position], failure, block.Problem!);
                    fetched.Add(outputs[position] = Keep(wanted[position], block));
                }
            }
            catch (ClusterException error)
            {
                throw Lost(first, FetchFailure.Unreachable, error.Message);
            }
            catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
            {
                throw Lost(first, FetchFailure.Unreachable, "its worker is gone");
            }
            finally
            {
                Wait(blocks.DisposeAsync());
            }

            bool Next()
            {
                var start = time.GetTimestamp();
                try
                {
                    return Wait(blocks.MoveNextAsync());
                }
                finally
                {
                    context.Metrics.FetchWaitTime += time.GetElapsedTime(start);
                }
            }
        }

        MapOutput Keep((int Map, MapLocation Location) wanted, FetchedBlock block)
        {
            var output = context.Services.Shuffles.Begin(shuffle, wanted.Map, reduceEnd, context.Description);
            foreach (var piece in block.Pieces)
            {
                // Served by a process of the same application, and still: a number out of range must not become an index.
                if (piece.Part < reduceStart || piece.Part >= reduceEnd)
                    throw Lost(wanted, FetchFailure.Corrupt, $"it holds a segment of reduce partition {piece.Part}");
                output.Add(piece.Part, piece.ToSegment());
            }
            return output;
        }

        FetchFailedException Lost((int Map, MapLocation Location) output, FetchFailure failure, string why) =>
            context.LostInput(new FetchFailedException(shuffle, output.Map, output.Location, failure, why));
    }

    private static T Wait<T>(ValueTask<T> work) => work.IsCompletedSuccessfully ? work.Result : work.AsTask().GetAwaiter().GetResult();

    private static void Wait(ValueTask work)
    {
        if (!work.IsCompletedSuccessfully) work.AsTask().GetAwaiter().GetResult();
    }
}
