using Dataflow.MLlib.Data;
using Dataflow.MLlib.Tuning;

namespace Dataflow.MLlib;

/// <summary>Tries candidates of parameters by cross-validation: each is fitted as often as there are folds, on all folds but one, and evaluated on that one. The best is
/// fitted again on all rows.</summary>
/// <remarks>
/// The frame is kept while it is worked on (two passes over it before the first fit). A row's fold is a hash of its number in the whole frame and the seed: the same for any
/// partitions. Candidates x folds + 1 fits, <see cref="Parallelism"/> of them at a time; results do not depend on that.
/// </remarks>
public sealed record CrossValidator : Estimator<CrossValidatorModel>
{
    /// <summary>A search.</summary>
    /// <param name="estimator">What is fitted: a learner or a <see cref="Pipeline"/>.</param>
    /// <param name="parameters">The candidates: <see cref="ParamGrid{T}"/> or <see cref="RandomSearch{T}"/>.</param>
    /// <param name="evaluator">Says how good a model is.</param>
    public CrossValidator(Estimator estimator, ParameterSearch parameters, ModelEvaluator evaluator)
    {
        ArgumentNullException.ThrowIfNull(estimator);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(evaluator);
        (Estimator, Parameters, Evaluator) = (estimator, parameters, evaluator);
    }

    internal CrossValidator(ModelFolder folder) => (Estimator, Parameters, Evaluator) = CandidateRuns.ReadSearch(folder);

    /// <summary>What is fitted.</summary>
    public Estimator Estimator { get; }

    /// <summary>The candidates.</summary>
    public ParameterSearch Parameters { get; }

    /// <summary>Says how good a model is.</summary>
    public ModelEvaluator Evaluator { get; }

    /// <summary>How many folds: 2 or more.</summary>
    public int Folds { get; init => field = Check.AtLeast(value, 2); } = 3;

    /// <summary>A column that says to which fold a row belongs: whole numbers from 0 to below <see cref="Folds"/>. Null draws folds.</summary>
    public string? FoldColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>What folds are drawn with.</summary>
    public ulong Seed { get; init; }

    /// <summary>How many fits run at a time. Jobs share the slots of the context, so more than 1 pays where one fit leaves some idle.</summary>
    public int Parallelism { get; init => field = Check.AtLeast(value, 1); } = 1;

    /// <summary>Whether the model of each candidate and fold is kept.</summary>
    public bool KeepSubModels { get; init; }

    /// <inheritdoc/>
    protected override async Task<CrossValidatorModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (FoldColumn is not null) await CheckFoldsAsync(frame, FoldColumn, cancellationToken).ConfigureAwait(false);
        using var draws = FoldColumn is null ? await RowDraws.OfAsync(frame, Seed, cancellationToken).ConfigureAwait(false) : null;
        if (draws is not null && draws.Rows < Folds)
            throw new QueryException("EMPTY_INPUT", $"{nameof(CrossValidator)} was given {draws.Rows} rows, and {Folds} folds need at least as many.");
        var pairs = Enumerable.Range(0, Folds).Select(fold => draws is null ? ByColumn(frame, fold) : ByDraw(draws.Frame, fold)).ToArray();
        var (results, best, models) = await CandidateRuns.RunAsync(Estimator, Parameters.Candidates, Evaluator, pairs, Parallelism, KeepSubModels, cancellationToken).ConfigureAwait(false);
        var all = draws is null ? frame : draws.Frame.Drop(RowDraws.Column);
        var model = await Parameters.Candidates[best].ApplyTo(Estimator).FitStageAsync(all, cancellationToken).ConfigureAwait(false);
        return new CrossValidatorModel(model, [.. results], [.. models]);
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder) => CandidateRuns.WriteSearch(folder, Estimator, Evaluator, Parameters);

    private (DataFrame, DataFrame) ByDraw(DataFrame frame, int fold)
    {
        var draw = frame[RowDraws.Column];
        var (from, to) = ((double)fold / Folds, fold + 1 == Folds ? 1 : (fold + 1.0) / Folds);
        return (frame.Where((draw < from) | (draw >= to)).Drop(RowDraws.Column), frame.Where((draw >= from) & (draw < to)).Drop(RowDraws.Column));
    }

    private (DataFrame, DataFrame) ByColumn(DataFrame frame, int fold)
    {
        var column = frame[FoldColumn!].Cast(DataType.Double);
        return (frame.Where(column != (double)fold), frame.Where(column == (double)fold));
    }

    private async Task CheckFoldsAsync(DataFrame frame, string name, CancellationToken cancellationToken)
    {
        var column = frame[name].Cast(DataType.Double);
        var counts = await frame.GroupBy(column.As("fold")).Count().CollectAsync(cancellationToken).ConfigureAwait(false);
        var folds = counts.Select(row => row[0] as double? ?? double.NaN).ToArray();
        if (folds.FirstOrDefault(fold => !(fold >= 0 && fold < Folds && fold == Math.Truncate(fold)), -1) is var wrong and not -1)
            throw new QueryException("INVALID_VALUE",
                $"Column '{name}' holds {(double.IsNaN(wrong) ? "null or NaN" : wrong)}, and with {Folds} folds its values must be 0 to {Folds - 1}.");
        if (folds.Length < Folds)
            throw new QueryException("EMPTY_INPUT",
                $"Column '{name}' has rows of {folds.Length} folds, and {nameof(CrossValidator)} of {Folds}. Set Folds, or mend the column.");
    }
}

/// <summary>What a <see cref="CrossValidator"/> found.</summary>
public sealed record CrossValidatorModel : Transformer
{
    internal CrossValidatorModel(Transformer best, ValueList<CandidateResult> candidates, ValueList<Transformer> subModels) =>
        (BestModel, Candidates, SubModels) = (best, candidates, subModels);

    internal CrossValidatorModel(ModelFolder folder) => (BestModel, Candidates, SubModels) = CandidateRuns.ReadModel(folder);

    /// <summary>The best candidate, fitted on all rows.</summary>
    public Transformer BestModel { get; }

    /// <summary>How good each candidate was, in the order of the search.</summary>
    public ValueList<CandidateResult> Candidates { get; }

    /// <summary>If they were kept, the models of the first candidate, a fold each, then those of the second, and so on; else none.</summary>
    public ValueList<Transformer> SubModels { get; }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame) => BestModel.Transform(frame);

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder) => CandidateRuns.WriteModel(folder, BestModel, Candidates, SubModels);

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static CrossValidatorModel Load(string path) => Load<CrossValidatorModel>(path);
}
