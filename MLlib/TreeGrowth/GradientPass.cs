using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>Fills the <see cref="Gradients"/> of an iteration: asks the objective, scales to whole numbers, sums magnitudes over all shards.</summary>
internal sealed unsafe class GradientPass(TreeObjective objective, TreeShard shard, ThreadTeam team, ITreeGroup group, double maxWeight, bool areWeighted, long globalRows, SamplingOptions sampling)
{
    // Added to a double of less than 2^51, it leaves the nearest whole number in the low bits.
    private const double Magic = 6755399441055744.0;
    private const int StepRows = TreeObjective.StepRows;
    private const int ChunkRows = 32 * StepRows;
    private const int MostOnStack = 16;

    /// <summary>Computes all classes' gradients.</summary>
    /// <param name="scores">All rows of the first score first.</param>
    /// <param name="gradients">One a score.</param>
    /// <param name="seed">Different for every iteration.</param>
    public void Run(double* scores, Gradients[] gradients, ulong seed)
    {
        objective.Begin(scores, shard, team);
        var count = objective.Scores;
        var headroom = sampling.Amplifier;
        var isConstant = objective.HasConstantHessian && !areWeighted && (headroom == 1 || sampling.WithReplacement);
        double gradientBound, hessianBound;
        if (objective.Bounds is var (gradient, hessian)) (gradientBound, hessianBound) = (gradient * maxWeight, hessian * maxWeight);
        else (gradientBound, hessianBound) = Greatest(scores);
        var gradientScale = Gradients.ScaleFor(gradientBound * headroom);
        var hessianScale = isConstant ? 1 : Gradients.ScaleFor(hessianBound * headroom);
        var sums = new long[(2 * count) + 1];
        Each(scores, (in ObjectiveRows rows, long[] partial) =>
        {
            for (var score = 0; score < count; score++)
            {
                Convert(rows, score, gradientScale, hessianScale, gradients[score].Values + rows.First, out var size, out var weight, out var fault);
                partial[2 * score] += size;
                partial[(2 * score) + 1] += weight;
                partial[^1] |= fault;
            }
        }, sums);
        group.AllReduceSum(sums);
        if (sums[^1] != 0)
        {
            throw new QueryException(
                "INVALID_LOSS", $"The objective '{objective.Text}' gave a gradient or hessian that is not a number, infinite, or (hessians) negative. "
                + "Scores may have grown without bound: lower the learning rate, or look for extreme labels and weights.");
        }
        for (var score = 0; score < count; score++)
            gradients[score].Scale(gradientScale, hessianScale, sums[2 * score], sums[(2 * score) + 1], globalRows, seed + (ulong)score);
    }

    private delegate void Piece(in ObjectiveRows rows, long[] partial);

    private void Each(double* scores, Piece piece, long[] sums)
    {
        var count = objective.Scores;
        var rows = shard.Rows.Rows;
        var chunks = (rows + ChunkRows - 1) / ChunkRows;
        team.Share(chunks, (chunk, _) =>
        {
            // Many classes need more than a stack has.
            using var heap = count > MostOnStack ? new NativeArray<double>(2L * StepRows * count) : null;
            var onStack = stackalloc double[2 * StepRows * (heap is null ? count : 0)];
            var buffer = heap is null ? onStack : heap.Pointer;
            var partial = new long[sums.Length];
            fixed (float* labels = shard.Labels, weights = shard.Weights)
            {
                var end = Math.Min(rows, (chunk + 1) * ChunkRows);
                for (var first = chunk * ChunkRows; first < end; first += StepRows)
                {
                    var step = new ObjectiveRows
                    {
                        First = first,
                        Count = Math.Min(StepRows, end - first),
                        Scores = scores + first,
                        ScoreStride = rows,
                        Labels = labels + first,
                        Weights = weights is null ? null : weights + first,
                        Gradients = buffer,
                        Hessians = buffer + (StepRows * count),
                    };
                    objective.Compute(step);
                    piece(step, partial);
                }
            }
            for (var i = 0; i < partial.Length; i++) Interlocked.Add(ref sums[i], partial[i]);
        });
    }

    private (double Gradient, double Hessian) Greatest(double* scores)
    {
        var most = new double[2];
        Each(scores, (in ObjectiveRows rows, long[] _) =>
        {
            double gradient = 0, hessian = 0;
            for (var score = 0; score < objective.Scores; score++)
            {
                for (var i = 0; i < rows.Count; i++)
                {
                    gradient = Math.Max(gradient, Math.Abs(rows.Gradients[(score * StepRows) + i]));
                    hessian = Math.Max(hessian, rows.Hessians[(score * StepRows) + i]);
                }
            }
            lock (most) (most[0], most[1]) = (Math.Max(most[0], gradient), Math.Max(most[1], hessian));
        }, []);
        group.AllReduceMax(most);
        return (most[0], most[1]);
    }

    /// <summary>Whole numbers of some rows, and their sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Convert(in ObjectiveRows rows, int score, double gradientScale, double hessianScale, long* target, out long size, out long weight, out long fault)
    {
        var gradients = rows.Gradients + (score * StepRows);
        var hessians = rows.Hessians + (score * StepRows);
        var count = rows.Count;
        var i = 0;
        (size, weight, fault) = (0, 0, 0);
        if (Vector512.IsHardwareAccelerated)
        {
            var magic = Vector512.Create(Magic);
            var zero = magic.AsInt64();
            var gScale = Vector512.Create(gradientScale);
            var hScale = Vector512.Create(hessianScale);
            var limit = Vector512.Create((double)Gradients.Limit);
            Vector512<long> sizes = default, weights = default;
            var fine = Vector512<long>.AllBitsSet;
            for (; i + 8 <= count; i += 8)
            {
                var g = Vector512.Load(gradients + i) * gScale;
                var h = Vector512.Load(hessians + i) * hScale;
                fine &= (Vector512.LessThanOrEqual(Vector512.Abs(g), limit) & Vector512.LessThanOrEqual(h, limit) & Vector512.GreaterThanOrEqual(h, Vector512<double>.Zero)).AsInt64();
                var gradient = (g + magic).AsInt64() - zero;
                var hessian = (h + magic).AsInt64() - zero;
                sizes += Vector512.Abs(gradient);
                weights += hessian;
                Vector512.Store((gradient << 32) | hessian, target + i);
            }
            size = Vector512.Sum(sizes);
            weight = Vector512.Sum(weights);
            fault = fine == Vector512<long>.AllBitsSet ? 0 : 1;
        }
        for (; i < count; i++)
        {
            var g = gradients[i] * gradientScale;
            var h = hessians[i] * hessianScale;
            if (!(Math.Abs(g) <= Gradients.Limit && h >= 0 && h <= Gradients.Limit)) fault = 1;
            var gradient = BitConverter.DoubleToInt64Bits(g + Magic) - BitConverter.DoubleToInt64Bits(Magic);
            var hessian = BitConverter.DoubleToInt64Bits(h + Magic) - BitConverter.DoubleToInt64Bits(Magic);
            size += Math.Abs(gradient);
            weight += hessian;
            target[i] = (gradient << 32) | hessian;
        }
    }
}
