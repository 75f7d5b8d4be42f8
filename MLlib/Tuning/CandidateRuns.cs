using System.Text.Json.Nodes;

namespace Dataflow.MLlib.Tuning;

/// <summary>What both searches have in common: fits candidates side by side, and finds the best.</summary>
internal static class CandidateRuns
{
    /// <summary>Fits every candidate on every pair of frames.</summary>
    /// <param name="estimator">What is fitted.</param>
    /// <param name="candidates">Its parameters.</param>
    /// <param name="evaluator">Says how good a model is.</param>
    /// <param name="pairs">What is learned from, and what the model is evaluated on.</param>
    /// <param name="parallelism">How many fits run at a time.</param>
    /// <param name="keeps">Whether models are kept.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Results, which of them is the best, and the models, candidate by candidate.</returns>
    public static async Task<(CandidateResult[] Results, int Best, Transformer[] Models)> RunAsync(
        Estimator estimator, IReadOnlyList<ParameterSet> candidates, ModelEvaluator evaluator, (DataFrame Train, DataFrame Validation)[] pairs, int parallelism, bool keeps, CancellationToken cancellationToken)
    {
        Estimator[] changed = [.. candidates.Select(candidate => candidate.ApplyTo(estimator))];
        var metrics = new double[changed.Length * pairs.Length];
        var models = new Transformer[keeps ? metrics.Length : 0];
        await Parallel.ForAsync(0, metrics.Length, new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellationToken }, async (i, token) =>
        {
            var (train, validation) = pairs[i % pairs.Length];
            var model = await changed[i / pairs.Length].FitStageAsync(train, token).ConfigureAwait(false);
            metrics[i] = await evaluator.EvaluateAsync(model.Transform(validation), token).ConfigureAwait(false);
            if (keeps) models[i] = model;
        }).ConfigureAwait(false);

        CandidateResult[] results = [.. candidates.Select((candidate, i) =>
        {
            var own = metrics.AsSpan(i * pairs.Length, pairs.Length).ToArray();
            return new CandidateResult(candidate.ToString(), own.Sum() / own.Length, [.. own]);
        })];
        return (results, BestOf(results, evaluator), models);
    }

    /// <summary>Writes a search: estimator, evaluator and candidates.</summary>
    public static void WriteSearch(ModelFolder folder, Estimator estimator, ModelEvaluator evaluator, ParameterSearch parameters)
    {
        folder.WriteStages([estimator, evaluator]);
        folder.Set("candidates", new JsonArray([.. parameters.Candidates.Select(candidate => (JsonNode)candidate.ToJson())]));
    }

    /// <summary>Reads what <see cref="WriteSearch"/> wrote.</summary>
    public static (Estimator, ParameterSearch, ModelEvaluator) ReadSearch(ModelFolder folder)
    {
        var stages = folder.ReadStages();
        if (stages is not [Estimator estimator, ModelEvaluator evaluator])
            throw new ModelFormatException($"The saved search in '{folder.Path}' has no estimator and evaluator.");
        return (estimator, new ListedSearch([.. folder.Get<JsonArray>("candidates").Select(each => ParameterSet.FromJson((JsonArray)each!, folder))]), evaluator);
    }

    /// <summary>Writes results and models.</summary>
    public static void WriteModel(ModelFolder folder, Transformer best, IEnumerable<CandidateResult> results, IEnumerable<Transformer> models)
    {
        folder.WriteStages([best, .. models]);
        folder.Set("candidates", results.Select(result => new SavedResult(result.Parameters, [.. result.Metrics])).ToArray());
    }

    /// <summary>Reads what was written.</summary>
    public static (Transformer Best, ValueList<CandidateResult> Results, ValueList<Transformer> Models) ReadModel(ModelFolder folder)
    {
        var stages = folder.ReadStages();
        if (stages.Count == 0 || stages.Any(stage => stage is not Transformer))
            throw new ModelFormatException($"The saved search in '{folder.Path}' has no models.");
        var results = folder.Get<SavedResult[]>("candidates").Select(saved => new CandidateResult(saved.Parameters, saved.Metrics.Sum() / saved.Metrics.Length, [.. saved.Metrics]));
        return ((Transformer)stages[0], [.. results], [.. stages.Skip(1).Cast<Transformer>()]);
    }

    // Of equally good ones the first. NaN is never the best.
    private static int BestOf(CandidateResult[] results, ModelEvaluator evaluator)
    {
        var best = -1;
        for (var i = 0; i < results.Length; i++)
        {
            var metric = results[i].Metric;
            if (double.IsNaN(metric)) continue;
            if (best < 0 || (evaluator.IsLargerBetter ? metric > results[best].Metric : metric < results[best].Metric)) best = i;
        }
        return best >= 0 ? best : throw new QueryException("NO_METRIC",
            $"The metric of all {results.Length} candidates is NaN, so none is the best. Look at what {evaluator.GetType().Name} says of one of them.");
    }

    private sealed record SavedResult(string Parameters, double[] Metrics);
}
