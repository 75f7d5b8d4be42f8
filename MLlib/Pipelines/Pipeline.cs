namespace Dataflow.MLlib;

/// <summary>Stages in a row, as one estimator: each learns from what the stages before it made of the frame.</summary>
public sealed record Pipeline : Estimator<PipelineModel>
{
    /// <summary>A pipeline of no stages; see <see cref="Stages"/>.</summary>
    public Pipeline() { }

    /// <summary>A pipeline of some stages.</summary>
    /// <param name="stages">In order.</param>
    public Pipeline(params ReadOnlySpan<PipelineStage> stages) => Stages = [.. stages];

    internal Pipeline(ModelFolder folder) => Stages = folder.ReadStages();

    /// <summary>The stages, in order.</summary>
    public ValueList<PipelineStage> Stages { get; init; } = [];

    /// <inheritdoc/>
    protected override async Task<PipelineModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var fitted = new List<Transformer>();
        for (var i = 0; i < Stages.Count; i++)
        {
            var transformer = Stages[i] switch
            {
                Estimator estimator => await estimator.FitStageAsync(frame, cancellationToken).ConfigureAwait(false),
                Transformer plain => plain,
                var other => throw new InvalidOperationException($"Stage {i} ({other.GetType().Name}) is neither an estimator nor a transformer."),
            };
            fitted.Add(transformer);
            if (i + 1 < Stages.Count) frame = transformer.Transform(frame);
        }
        return new PipelineModel([.. fitted]);
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder) => folder.WriteStages(Stages);

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static Pipeline Load(string path) => Load<Pipeline>(path);
}

/// <summary>What a <see cref="Pipeline"/> learned: its stages, each as a transformer.</summary>
public sealed record PipelineModel : Transformer
{
    /// <summary>Transformers in a row.</summary>
    /// <param name="stages">In order.</param>
    public PipelineModel(ValueList<Transformer> stages) => Stages = stages;

    internal PipelineModel(ModelFolder folder) => Stages = [.. folder.ReadStages().Select((stage, i) => stage as Transformer
        ?? throw new ModelFormatException($"Stage {i} of the pipeline model in '{folder.Path}' is a {stage.GetType().Name}, which is no transformer."))];

    /// <summary>The transformers, in order.</summary>
    public ValueList<Transformer> Stages { get; }

    /// <summary>The first stage of a type: <c>model.Stage&lt;LogisticRegressionModel&gt;()</c>.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public T Stage<T>() where T : Transformer => Stages.OfType<T>().FirstOrDefault()
        ?? throw new InvalidOperationException($"The pipeline model has no {typeof(T).Name}. It has: {string.Join(", ", Stages.Select(stage => stage.GetType().Name))}.");

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        foreach (var stage in Stages) frame = stage.Transform(frame);
        return frame;
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder) => folder.WriteStages([.. Stages]);

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static PipelineModel Load(string path) => Load<PipelineModel>(path);
}
