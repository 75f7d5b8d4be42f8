using Dataflow.MLlib.Data;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>What the labels of the nearest rows come to: each class's part of the votes, or the mean.</summary>
/// <param name="classes">How many classes there are; 0 gives means.</param>
internal sealed class VoteScorer(SharedIndex index, Broadcast<double[]> labels, Voting voting, int width, int classes)
    : RowScorer(classes > 0 ? "neighbor_votes" : "neighbor_mean")
{
    public override int Width => width;

    public override bool GivesVector => classes > 0;

    // Of many classes only those of neighbours have votes.
    public override bool Compresses => classes > 64;

    public override int OutputWidth(int width) => Math.Max(1, classes);

    public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output) =>
        Votes(index.Value, labels.Value, voting, QueryRows.Of(rows[..(count * width)], width, Name), 1, output, isMean: classes == 0);

    /// <summary>Of each query.</summary>
    /// <param name="output">queries x classes, or queries.</param>
    public static void Votes(NeighborIndex index, double[] labels, Voting voting, float[] queries, int threads, Span<double> output, bool isMean = false)
    {
        var lists = index.Search(queries, new(voting.K, Threads: threads, Breadth: voting.Breadth));
        var classes = output.Length / lists.Queries;
        var distances = new double[voting.K];
        var weights = new double[voting.K];
        for (var q = 0; q < lists.Queries; q++)
        {
            lists.Sort(q);
            var keys = lists.Keys(q);
            var positions = lists.Positions(q);
            for (var i = 0; i < keys.Length; i++) distances[i] = index.Keys.ToDistance(keys[i]);
            voting.Weigh(distances.AsSpan(0, keys.Length), weights.AsSpan(0, keys.Length));
            double all = 0, sum = 0;
            var votes = output.Slice(q * classes, classes);
            votes.Clear();
            for (var i = 0; i < keys.Length; i++)
            {
                all += weights[i];
                // Ids of a learner's rows are their numbers.
                var label = labels[index.Rows.Ids[positions[i]]];
                if (isMean) sum += weights[i] * label;
                else votes[(int)label] += weights[i];
            }
            if (!(all > 0) || double.IsInfinity(all))
            {
                throw new QueryException("INVALID_WEIGHT", $"The weights of the {keys.Length} neighbours of a row sum to {all}: nothing can be said of it. "
                    + "Give at least one neighbour a finite weight above 0.");
            }
            if (isMean) votes[0] = sum / all;
            else for (var c = 0; c < classes; c++) votes[c] /= all;
        }
    }
}
