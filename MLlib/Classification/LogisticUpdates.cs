using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;
using Dataflow.MLlib.Optimization;

namespace Dataflow.MLlib.Classification;

/// <summary>
/// What a logistic model keeps to learn from more rows: how it learned, and how sure the rows so far make each coefficient: the second derivatives of their loss by it alone,
/// penalties included (Chapelle and Li 2011, algorithm 3).
/// </summary>
/// <param name="Learner">The estimator that made the model.</param>
/// <param name="Centers">What is taken away from each feature: intercepts are those there, so that they depend less on coefficients.</param>
/// <param name="Precisions">margins x features, then margins for the intercepts.</param>
internal sealed record LogisticUpdates(LogisticRegression Learner, double[] Centers, double[] Precisions)
{
    /// <summary>Coefficients and intercepts that fit new rows, and stray from those so far as little as their precisions ask.</summary>
    /// <param name="blocks">The new rows.</param>
    /// <param name="moments">Of their features.</param>
    /// <param name="scores">Coefficients so far.</param>
    /// <param name="decay">What earlier rows still count.</param>
    /// <param name="bounds">Bounds on coefficients.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public async Task<(LogisticScores Scores, Minimum End, LogisticUpdates Next)> StepAsync(
        Rdd<FeatureBlock> blocks, FeatureMoments moments, LogisticScores scores, double decay, CoefficientBounds bounds, CancellationToken cancellationToken)
    {
        var (margins, width, weight) = (scores.Intercepts.Length, scores.Width, moments.Weight);
        double[] precisions = [.. Precisions.Select(precision => decay * precision)];
        var start = Centred(scores);
        var units = Units(precisions, moments, margins);
        RowLoss loss = margins == 1 ? new LogisticLoss() : new SoftmaxLoss(margins);
        var hasIntercept = Learner.FitIntercept;
        var scaled = new double[start.Length];
        for (var i = 0; i < start.Length; i++) scaled[i] = start[i] * units[i];
        Box? box = bounds.Any ? bounds.Of(Enumerable.Repeat(1.0, width).ToArray(), margins, start.Length, nameof(LogisticRegression)).In([.. units.Select(unit => unit > 0 ? 1 / unit : 1)]) : null;
        var end = await new Lbfgs { MaxIterations = Learner.MaxIterations, Tolerance = Learner.Tolerance }.MinimizeAsync(EvaluateAsync, scaled, null, box, cancellationToken).ConfigureAwait(false);
        var found = At(end.Point);
        var updated = new LogisticScores(found.Coefficients, found.Intercepts, scores.Classes);
        var information = await InformationAsync(blocks, updated, Centers, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < precisions.Length; i++) precisions[i] += information[i];
        return (updated, end, this with { Precisions = precisions });

        async Task<double> EvaluateAsync(double[] point, double[] gradient, CancellationToken token)
        {
            var (coefficients, intercepts) = At(point);
            var padded = new double[margins * Lanes.Padded(width)];
            for (var k = 0; k < margins; k++) coefficients.AsSpan(k * width, width).CopyTo(padded.AsSpan(k * Lanes.Padded(width)));
            var sums = await LossSums.OfAsync(blocks, loss, width, padded, intercepts, nameof(LogisticRegression), token).ConfigureAwait(false);
            var head = LossSums.Head(margins);
            var value = sums[0];
            for (var i = 0; i < point.Length; i++)
            {
                gradient[i] = 0;
                if (units[i] == 0) continue;
                var k = i < margins * width ? i / width : i - (margins * width);
                var slope = i < margins * width ? sums[head + i] - (Centers[i % width] * sums[2 + k]) : sums[2 + k];
                var away = (point[i] / units[i]) - start[i];
                gradient[i] = (slope + (precisions[i] * away)) / units[i] / weight;
                value += 0.5 * precisions[i] * away * away;
            }
            return value / weight;
        }

        // Numbers whose unit is 0 are those that no row says anything of: they stay.
        (double[] Coefficients, double[] Intercepts) At(double[] point)
        {
            var coefficients = new double[margins * width];
            var intercepts = new double[margins];
            for (var k = 0; k < margins; k++)
            {
                var at = (margins * width) + k;
                intercepts[k] = hasIntercept ? (units[at] > 0 ? point[at] / units[at] : start[at]) : 0;
                for (var i = 0; i < width; i++)
                {
                    var j = (k * width) + i;
                    coefficients[j] = units[j] > 0 ? point[j] / units[j] : start[j];
                    intercepts[k] -= coefficients[j] * Centers[i];
                }
            }
            return (coefficients, intercepts);
        }
    }

    /// <summary>What rows add to precisions: sums of weight x p (1 - p) x squared deviation from the centre, by coefficient, and without the deviation by intercept.</summary>
    public static async Task<double[]> InformationAsync(Rdd<FeatureBlock> blocks, LogisticScores scores, double[] centers, CancellationToken cancellationToken)
    {
        var shared = blocks.Context.Broadcast(scores);
        try
        {
            var parts = await blocks.MapPartitions(items => OfPartition(items, shared.Value, centers)).CollectAsync(cancellationToken).ConfigureAwait(false);
            var sums = new double[scores.Coefficients.Length + scores.Intercepts.Length];
            foreach (var part in parts)
            {
                for (var i = 0; i < sums.Length; i++) sums[i] += part[i];
            }
            return sums;
        }
        finally
        {
            shared.Destroy();
        }
    }

    public void Write(ModelFolder folder)
    {
        folder.WriteStages([Learner]);
        folder.WriteArray<double>("centers", Centers);
        folder.WriteArray<double>("precisions", Precisions);
    }

    /// <summary>What was written; null if the model kept nothing.</summary>
    public static LogisticUpdates? Read(ModelFolder folder, int width, int margins)
    {
        if (!folder.Contains("stages")) return null;
        var learner = folder.ReadStages() is [LogisticRegression only] ? only : throw new ArgumentException($"its stage is no {nameof(LogisticRegression)}");
        var (centers, precisions) = (folder.ReadArray<double>("centers"), folder.ReadArray<double>("precisions"));
        return centers.Length == width && precisions.Length == margins * (width + 1) ? new LogisticUpdates(learner, centers, precisions)
            : throw new ArgumentException($"{centers.Length} centres and {precisions.Length} precisions do not fit {width} features and {margins} intercepts");
    }

    private double[] Centred(LogisticScores scores)
    {
        var point = new double[scores.Coefficients.Length + scores.Intercepts.Length];
        scores.Coefficients.CopyTo(point, 0);
        for (var k = 0; k < scores.Intercepts.Length; k++)
        {
            var at = scores.Intercepts[k];
            for (var i = 0; i < scores.Width; i++) at += scores.Coefficients[(k * scores.Width) + i] * Centers[i];
            point[scores.Coefficients.Length + k] = at;
        }
        return point;
    }

    // In these units all second derivatives are about 1.
    private double[] Units(double[] precisions, FeatureMoments moments, int margins)
    {
        var width = Centers.Length;
        var units = new double[precisions.Length];
        for (var i = 0; i < units.Length; i++)
        {
            var isCoefficient = i < margins * width;
            var away = isCoefficient ? moments.Means[i % width] - Centers[i % width] : 1;
            var spread = isCoefficient ? (moments.Squares[i % width] / moments.Weight) + (away * away) : Learner.FitIntercept ? 1 : 0;
            units[i] = spread == 0 ? 0 : Math.Sqrt((0.25 * spread) + (precisions[i] / moments.Weight));
        }
        return units;
    }

    private static IEnumerable<double[]> OfPartition(IEnumerable<FeatureBlock> blocks, LogisticScores scores, double[] centers)
    {
        var (width, margins) = (scores.Width, scores.Intercepts.Length);
        var sums = new double[(width + 1) * margins];
        var probabilities = new double[scores.Classes];
        foreach (var block in blocks)
        {
            for (var row = 0; row < block.Rows; row++)
            {
                if (block.Sparse is { } sparse) scores.Margins(sparse, row, probabilities);
                else scores.Margins(block.Values.AsSpan(row * width, width), probabilities);
                LogisticScores.Normalize(probabilities, margins == 1);
                for (var k = 0; k < margins; k++)
                {
                    var p = probabilities[margins == 1 ? 1 : k];
                    var factor = block.WeightOf(row) * p * (1 - p);
                    sums[(margins * width) + k] += factor;
                    Add(block, row, factor, centers, sums.AsSpan(k * width, width));
                }
            }
        }
        yield return sums;
    }

    private static void Add(FeatureBlock block, int row, double factor, double[] centers, Span<double> sums)
    {
        if (block.Sparse is not { } sparse)
        {
            var values = block.Values.AsSpan(row * sums.Length, sums.Length);
            for (var i = 0; i < sums.Length; i++)
            {
                var deviation = values[i] - centers[i];
                sums[i] += factor * deviation * deviation;
            }
            return;
        }
        var at = sparse.Starts[row];
        for (var i = 0; i < sums.Length; i++)
        {
            var value = at < sparse.Starts[row + 1] && sparse.Indices[at] == i ? sparse.Values[at++] : 0;
            sums[i] += factor * (value - centers[i]) * (value - centers[i]);
        }
    }
}
