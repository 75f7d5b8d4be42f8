using Dataflow.MLlib.Data;
using Dataflow.MLlib.Tuning;

namespace Dataflow.MLlib;

/// <summary>Tries candidates of parameters on one split: each is fitted on a part of the rows and evaluated on the rest. The best is fitted again on all rows.</summary>
/// <remarks>As <see cref="CrossValidator"/>, with a single fit a candidate: cheaper, and less sure.</remarks>
public sealed record TrainValidationSplit : Estimator<TrainValidationSplitModel>
{
    /// <summary>A search.</summary>
    /// <param name="estimator">What is fitted: a learner or a <see cref="Pipeline"/>.</param>
    /// <param name="parameters">The candidates: <see cref="ParamGrid{T}"/> or <see cref="RandomSearch{T}"/>.</param>
    /// <param name="evaluator">Says how good a model is.</param>
    public TrainValidationSplit(Estimator estimator, ParameterSearch parameters, ModelEvaluator evaluator)
    {
        ArgumentNullException.ThrowIfNull(estimator);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(evaluator);
        (Estimator, Parameters, Evaluator) = (estimator, parameters, evaluator);
    }

    internal TrainValidationSplit(ModelFolder folder) => (Estimator, Parameters, Evaluator) = CandidateRuns.ReadSearch(folder);

    /// <summary>What is fitted.</summary>
    public Estimator Estimator { get; }

    /// <summary>The candidates.</summary>
    public ParameterSearch Parameters { get; }

    /// <summary>Says how good a model is.</summary>
    public ModelEvaluator Evaluator { get; }

    /// <summary>About which part of the rows is learned from: more than 0, less than 1.</summary>
    public double TrainRatio { get; init => field = value > 0 && value < 1 ? value : throw new ArgumentOutOfRangeException(nameof(TrainRatio), value, $"{nameof(TrainRatio)} must lie between 0 and 1."); } = 0.75;

    /// <summary>What the split is drawn with.</summary>
    public ulong Seed { get; init; }

    /// <inheritdoc cref="CrossValidator.Parallelism"/>
    public int Parallelism { get; init => field = Check.AtLeast(value, 1); } = 1;

    /// <summary>Whether the model of each candidate is kept.</summary>
    public bool KeepSubModels { get; init; }

    /// <inheritdoc/>
    protected override async Task<TrainValidationSplitModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        using var draws = await RowDraws.OfAsync(frame, Seed, cancellationToken).ConfigureAwait(false);
        if (draws.Rows < 2) throw new QueryException("EMPTY_INPUT", $"{nameof(TrainValidationSplit)} was given {draws.Rows} rows, and needs some on both sides.");
        var draw = draws.Frame[RowDraws.Column];
        var pair = (draws.Frame.Where(draw < TrainRatio).Drop(RowDraws.Column), draws.Frame.Where(draw >= TrainRatio).Drop(RowDraws.Column));
        var (results, best, models) = await CandidateRuns.RunAsync(Estimator, Parameters.Candidates, Evaluator, [pair], Parallelism, KeepSubModels, cancellationToken).ConfigureAwait(false);
        var model = await Parameters.Candidates[best].ApplyTo(Estimator).FitStageAsync(draws.Frame.Drop(RowDraws.Column), cancellationToken).ConfigureAwait(false);
        return new TrainValidationSplitModel(model, [.. results], [.. models]);
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder) => CandidateRuns.WriteSearch(folder, Estimator, Evaluator, Parameters);
}

/// <summary>What a <see cref="TrainValidationSplit"/> found.</summary>
public sealed record TrainValidationSplitModel : Transformer
{
    internal TrainValidationSplitModel(Transformer best, ValueList<CandidateResult> candidates, ValueList<Transformer> subModels) =>
        (BestModel, Candidates, SubModels) = (best, candidates, subModels);

    internal TrainValidationSplitModel(ModelFolder folder) => (BestModel, Candidates, SubModels) = CandidateRuns.ReadModel(folder);

    /// <summary>The best candidate, fitted on all rows.</summary>
    public Transformer BestModel { get; }

    /// <summary>How good each candidate was, in the order of the search.</summary>
    public ValueList<CandidateResult> Candidates { get; }

    /// <summary>If they were kept, the model of each candidate; else none.</summary>
    public ValueList<Transformer> SubModels { get; }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame) => BestModel.Transform(frame);

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder) => CandidateRuns.WriteModel(folder, BestModel, Candidates, SubModels);

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static TrainValidationSplitModel Load(string path) => Load<TrainValidationSplitModel>(path);
}
