using Dataflow.MLlib.TreeBins;

namespace Dataflow.MLlib.Trees;

/// <summary>The rows of a data set that one process trains on: bins, labels, and what else belongs to a row.</summary>
internal sealed class TreeShard : IDisposable
{
    public required BinnedRows Rows { get; init; }

    /// <summary>One a row; classes are numbered from 0.</summary>
    public required float[] Labels { get; init; }

    /// <summary>One a row, not negative; null if all are 1.</summary>
    public float[]? Weights { get; init; }

    /// <summary>Scores that trees add to, all rows of the first score first; null if all are 0. They also stop the average from being the first tree's bias.</summary>
    public double[]? InitialScores { get; init; }

    /// <summary>Ranking: where the rows of each query begin, and how many rows there are at the end. A query's rows are all in one shard.</summary>
    public int[]? Queries { get; init; }

    public void Dispose() => Rows.Dispose();
}
