using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dataflow.MLlib.TreeModels;

/// <summary>
/// Predictions of an ensemble, of single rows and of many at once, without any engine. Made once from a <see cref="TreeEnsemble"/>; safe to use from any number of
/// threads. A row has the same result, bit for bit, alone and in a batch, as floats and as the same doubles, on any machine.
/// </summary>
/// <remarks>
/// Missing values are NaN. Scores are added in the order of the trees in double precision. For 100 trees of 31 leaves a row takes 0.7 us alone (with AVX-512, up to 32
/// features and no missing values; 2 us otherwise, 3.5 us with categorical splits), 0.3 us in a batch of floats. Making one takes some milliseconds.
/// </remarks>
public sealed class TreePredictor
{
    private const int OnStack = 256;

    private readonly CompiledTrees trees;
    private readonly OutputTransform transform;
    private readonly double divisor;
    private (int Depth, double Expected)[]? shapes;

    /// <summary>Lays out the trees.</summary>
    /// <param name="ensemble">The trees and what belongs to them.</param>
    /// <param name="iterations">How many iterations to use; 0 uses the best one, or all if there is none.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is negative or more than there are.</exception>
    /// <exception cref="ArgumentException">A tree has more than 32,767 leaves.</exception>
    public TreePredictor(TreeEnsemble ensemble, int iterations = 0)
    {
        ArgumentNullException.ThrowIfNull(ensemble);
        Ensemble = ensemble;
        trees = new CompiledTrees(ensemble, iterations);
        transform = OutputTransform.Of(ensemble.Objective);
        Iterations = trees.TreeCount / ensemble.TreesPerIteration;
        divisor = ensemble.AverageOutput ? Math.Max(1, Iterations) : 1;
    }

    /// <summary>The trees this predicts with.</summary>
    public TreeEnsemble Ensemble { get; }

    /// <summary>How many iterations it uses.</summary>
    public int Iterations { get; }

    /// <summary>Features of a row.</summary>
    public int FeatureCount => Ensemble.FeatureCount;

    /// <summary>Scores and outputs of a row: one a class for multiclass, else one.</summary>
    public int ScoreCount => Ensemble.TreesPerIteration;

    /// <summary>Leaf indices of a row: one a tree.</summary>
    public int LeafCount => trees.TreeCount;

    /// <summary>Whether outputs are probabilities: of the second class if there is one score, else of every class.</summary>
    public bool IsProbability => transform.IsProbability;

    /// <summary>The scores of a row before the objective's transform.</summary>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <param name="scores">Takes <see cref="ScoreCount"/> numbers.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public void Scores(ReadOnlySpan<double> row, Span<double> scores) => OneRow(row, scores);

    /// <inheritdoc cref="Scores(ReadOnlySpan{double}, Span{double})"/>
    public void Scores(ReadOnlySpan<float> row, Span<double> scores) => OneRow(row, scores);

    /// <summary>The outputs of a row: probabilities for classes, means for counts, the score itself else.</summary>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <param name="outputs">Takes <see cref="ScoreCount"/> numbers.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public void Outputs(ReadOnlySpan<double> row, Span<double> outputs)
    {
        OneRow(row, outputs);
        transform.Apply(outputs);
    }

    /// <inheritdoc cref="Outputs(ReadOnlySpan{double}, Span{double})"/>
    public void Outputs(ReadOnlySpan<float> row, Span<double> outputs)
    {
        OneRow(row, outputs);
        transform.Apply(outputs);
    }

    /// <summary>The scores of many rows before the objective's transform.</summary>
    /// <remarks>On this thread; rows may be shared out among threads by the caller.</remarks>
    /// <param name="values">The rows one after the other.</param>
    /// <param name="stride">From one row's first value to the next one's; at least <see cref="FeatureCount"/>.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="scores">Takes rows x <see cref="ScoreCount"/> numbers.</param>
    /// <exception cref="ArgumentException">A span is too short for the rows.</exception>
    public void Scores(ReadOnlySpan<double> values, int stride, int rows, Span<double> scores) => ManyRows(values, stride, rows, scores);

    /// <inheritdoc cref="Scores(ReadOnlySpan{double}, int, int, Span{double})"/>
    public void Scores(ReadOnlySpan<float> values, int stride, int rows, Span<double> scores) => ManyRows(values, stride, rows, scores);

    /// <summary>The outputs of many rows: probabilities for classes, means for counts, the score itself else.</summary>
    /// <inheritdoc cref="Scores(ReadOnlySpan{double}, int, int, Span{double})"/>
    public void Outputs(ReadOnlySpan<double> values, int stride, int rows, Span<double> outputs)
    {
        ManyRows(values, stride, rows, outputs);
        Transform(outputs, rows);
    }

    /// <inheritdoc cref="Outputs(ReadOnlySpan{double}, int, int, Span{double})"/>
    public void Outputs(ReadOnlySpan<float> values, int stride, int rows, Span<double> outputs)
    {
        ManyRows(values, stride, rows, outputs);
        Transform(outputs, rows);
    }

    /// <summary>Replaces scores by outputs: probabilities for classes, means for counts, the score itself else.</summary>
    /// <param name="scores">Rows x <see cref="ScoreCount"/> numbers.</param>
    /// <param name="rows">How many rows.</param>
    public void Transform(Span<double> scores, int rows)
    {
        for (var r = 0; r < rows; r++) transform.Apply(scores.Slice(r * ScoreCount, ScoreCount));
    }

    /// <summary>The number of the row's leaf in each tree.</summary>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <param name="leaves">Takes <see cref="LeafCount"/> numbers.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public void Leaves(ReadOnlySpan<double> row, Span<int> leaves)
    {
        CheckRow(row.Length);
        if (leaves.Length != LeafCount) throw new ArgumentException($"There are {LeafCount} trees, but room for {leaves.Length} leaves.", nameof(leaves));
        int[]? rented = null;
        var found = trees.TreeCount <= OnStack ? stackalloc int[OnStack] : (rented = ArrayPool<int>.Shared.Rent(Room(trees.TreeCount)));
        FindLeaves(row, found);
        found[..trees.TreeCount].CopyTo(leaves);
        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
    }

    /// <summary>What each feature adds to the row's scores (exact TreeSHAP), and last the expected score: together they are the score.</summary>
    /// <remarks>Lundberg, Erion and Lee 2018, algorithm 2, by the rows of training, as LightGBM computes it. O(trees x leaves x depth^2).</remarks>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <param name="contributions">Takes <see cref="ScoreCount"/> x (features + 1) numbers, score by score.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public void Contributions(ReadOnlySpan<double> row, Span<double> contributions)
    {
        CheckRow(row.Length);
        var expected = ScoreCount * (FeatureCount + 1);
        if (contributions.Length != expected)
            throw new ArgumentException($"A row has {expected} contributions (scores x (features + 1)), but there is room for {contributions.Length}.", nameof(contributions));
        contributions.Clear();

        // Threads that come at once work out the same.
        var known = shapes ??= [.. Ensemble.Trees.Take(trees.TreeCount).Select(TreeShap.Shape)];
        for (var t = 0; t < trees.TreeCount; t++)
            TreeShap.Add(Ensemble.Trees[t], known[t], row, contributions.Slice(t % ScoreCount * (FeatureCount + 1), FeatureCount + 1));
        if (divisor == 1) return;
        foreach (ref var contribution in contributions) contribution /= divisor;
    }

    [SkipLocalsInit]
    private void OneRow<T>(ReadOnlySpan<T> row, Span<double> scores)
        where T : unmanaged, INumber<T>
    {
        CheckRow(row.Length);
        if (scores.Length != ScoreCount) throw new ArgumentException($"A row has {ScoreCount} scores, but there is room for {scores.Length}.", nameof(scores));
        int[]? rented = null;
        var leaves = trees.TreeCount <= OnStack ? stackalloc int[OnStack] : (rented = ArrayPool<int>.Shared.Rent(Room(trees.TreeCount)));
        FindLeaves(row, leaves);
        scores.Clear();
        var values = trees.LeafValues;
        var starts = trees.LeafStarts;
        if (scores.Length == 1)
        {
            var sum = 0.0;
            for (var t = 0; t < trees.TreeCount; t++) sum += values[starts[t] + leaves[t]];
            scores[0] = sum;
        }
        else
        {
            for (int t = 0, k = 0; t < trees.TreeCount; t++)
            {
                scores[k] += values[starts[t] + leaves[t]];
                if (++k == scores.Length) k = 0;
            }
        }
        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
        Average(scores);
    }

    [SkipLocalsInit]
    private void FindLeaves<T>(ReadOnlySpan<T> row, Span<int> leaves)
        where T : unmanaged, INumber<T>
    {
        var used = trees.UsedFeatures;
        double[]? rented = null;
        var values = used.Length <= OnStack ? stackalloc double[OnStack] : (rented = ArrayPool<double>.Shared.Rent(used.Length));
        for (var i = 0; i < used.Length; i++) values[i] = double.CreateTruncating(row[used[i]]);
        for (var i = used.Length; i < RowCrowns.MostFeatures; i++) values[i] = 0;
        RowWalk.FindLeaves(trees, values, leaves);
        if (rented is not null) ArrayPool<double>.Shared.Return(rented);
    }

    // So many single rows cost less than a block of rows.
    private const int FewRows = 16;

    // Single rows are decided for 16 trees together.
    private static int Room(int trees) => (trees + 15) & ~15;

    private unsafe void ManyRows<T>(ReadOnlySpan<T> values, int stride, int rows, Span<double> scores)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, FeatureCount);
        if (rows > 0 && ((long)(rows - 1) * stride) + FeatureCount > values.Length)
            throw new ArgumentException($"{rows} rows of {FeatureCount} features, {stride} values apart, do not fit into {values.Length} values.", nameof(values));
        if (scores.Length != (long)rows * ScoreCount)
            throw new ArgumentException($"{rows} rows have {(long)rows * ScoreCount} scores, but there is room for {scores.Length}.", nameof(scores));

        // A block costs the same for one row as for all.
        if (rows <= FewRows)
        {
            for (var r = 0; r < rows; r++) OneRow(values.Slice(r * stride, FeatureCount), scores.Slice(r * ScoreCount, ScoreCount));
            return;
        }
        var used = trees.UsedFeatures;
        var special = new SpecialNodes(trees);
        var block = ArrayPool<T>.Shared.Rent(Math.Max(1, used.Length) * RowBlocks.Rows);
        var sums = ArrayPool<double>.Shared.Rent(ScoreCount * RowBlocks.Rows);
        try
        {
            fixed (T* columns = block, from = values)
            fixed (double* sum = sums)
            fixed (int* features = used)
            {
                for (var first = 0; first < rows; first += RowBlocks.Rows)
                {
                    var count = Math.Min(RowBlocks.Rows, rows - first);

                    // The last block repeats its last row.
                    for (var r = 0; r < RowBlocks.Rows; r++)
                    {
                        var row = from + ((long)(first + Math.Min(r, count - 1)) * stride);
                        var column = columns + r;
                        for (var i = 0; i < used.Length; i++, column += RowBlocks.Rows) *column = row[features[i]];
                    }
                    Score(columns, special, sum, first, count, scores);
                }
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(block);
            ArrayPool<double>.Shared.Return(sums);
        }
    }

    private unsafe void Score<T>(T* columns, SpecialNodes special, double* sums, int first, int count, Span<double> scores)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        new Span<double>(sums, ScoreCount * RowBlocks.Rows).Clear();
        RowBlocks.Score(trees, ScoreCount, columns, special, sums);
        var into = scores.Slice(first * ScoreCount, count * ScoreCount);
        for (int r = 0, at = 0; r < count; r++)
        {
            for (var k = 0; k < ScoreCount; k++) into[at++] = sums[(k * RowBlocks.Rows) + r];
        }
        Average(into);
    }

    private void Average(Span<double> scores)
    {
        if (divisor == 1) return;
        foreach (ref var score in scores) score /= divisor;
    }

    private void CheckRow(int length)
    {
        if (length != FeatureCount) throw new ArgumentException($"The row has {length} values; the model was trained on {FeatureCount} features.", nameof(length));
    }
}
