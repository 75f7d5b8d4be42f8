using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>Fetches map outputs from other executors: all that a task needs of one server with one request.</summary>
/// <remarks>What has arrived is held like runs of the task itself, so it may go to disk while the rest arrives.</remarks>
internal sealed class ShuffleFetcher(RemoteBlockReader reader, ExecutorMapOutputs locations, string scope, ClusterToken secret) : IShuffleFetcher
{
    public MapOutput[] Fetch(
        ShuffleId shuffle, IReadOnlyList<(int Map, MapLocation Location)> wanted, int reduceStart, int reduceEnd, TaskContext context)
    {
        var outputs = new MapOutput[wanted.Count];
        context.OnCompletion(done =>
        {
            foreach (var output in outputs)
            {
                if (output is not null) done.Services.Shuffles.Abandon(output);
            }
        });
        foreach (var server in Enumerable.Range(0, wanted.Count).GroupBy(i => wanted[i].Location.Server))
            Fetch(server.Key, [.. server]);
        return outputs;

        void Fetch(WorkerId server, int[] positions)
        {
            var first = wanted[positions[0]];
            if (locations.AddressOf(server) is not { } address)
                throw Lost(first, FetchFailure.Unreachable, "nobody knows where its server is");
            var names = Array.ConvertAll(
                positions, i => BlockName.Shuffle(shuffle, wanted[i].Map, wanted[i].Location.Writer, reduceStart, reduceEnd));
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, locations.LossOf(server));
            var blocks = reader.FetchAsync(new BlockSource(address, scope, secret), names, new BytesInFlight(), either.Token)
                .GetAsyncEnumerator(either.Token);
            try
            {
                // On the slot's own thread, which has nothing to do until its input is there.
                while (Wait(blocks.MoveNextAsync()))
                {
                    using var block = blocks.Current;
                    var position = positions[block.Index];
                    if (block.Failure is { } failure) throw Lost(wanted[position], failure, block.Problem!);
                    outputs[position] = Keep(wanted[position], block);
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
