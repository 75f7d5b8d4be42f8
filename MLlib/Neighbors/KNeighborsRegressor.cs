using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib;

/// <summary>Predicts the mean of the labels of the nearest rows, weighed by distance if wanted.</summary>
/// <remarks>Fit keeps all rows in this process and learns nothing else; see <see cref="NearestNeighbors"/>. A prediction costs a search.</remarks>
public sealed record KNeighborsRegressor : KNeighborsLearner<KNeighborsRegressorModel>
{
    /// <inheritdoc/>
    protected override async Task<KNeighborsRegressorModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        var (index, labels) = await IndexAsync(frame, cancellationToken).ConfigureAwait(false);
        return new KNeighborsRegressorModel(index, labels, Voting) { FeatureColumns = Features, PredictionColumn = PredictionColumn };
    }
}

/// <summary>What <see cref="KNeighborsRegressor"/> learned: rows and their labels. Immutable and thread-safe.</summary>
public sealed record KNeighborsRegressorModel : FeatureModel
{
    private readonly NeighborIndex _index;
    private readonly double[] _labels;
    private readonly Voting _voting;

    internal KNeighborsRegressorModel(NeighborIndex index, double[] labels, Voting voting)
    {
        _index = index;
        _labels = labels;
        _voting = voting;
    }

    internal KNeighborsRegressorModel(ModelFolder folder)
        : this(IndexData.Load(folder).ToIndex(), folder) { }

    private KNeighborsRegressorModel(NeighborIndex index, ModelFolder folder)
        : this(index, IndexData.LoadLabels(folder, index), Voting.Load(folder, index)) { }

    /// <inheritdoc/>
    public override int FeatureCount => _index.Rows.Features;

    /// <summary>The prediction of a row, without any engine.</summary>
    /// <param name="row">Its features.</param>
    /// <exception cref="ArgumentException">It has another number of features.</exception>
    public double Predict(ReadOnlySpan<double> row)
    {
        CheckRow(row.Length);
        Span<double> mean = stackalloc double[1];
        VoteScorer.Votes(_index, _labels, _voting, QueryRows.Of(row, row.Length, nameof(KNeighborsRegressorModel)), Environment.ProcessorCount, mean, isMean: true);
        return mean[0];
    }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var context = frame.Session.Context;
        return Add(frame, PredictionColumn, new VoteScorer(SharedIndex.Of(_index, context), context.Broadcast(_labels), _voting, FeatureCount, 0).Of(frame, FeaturesOf(frame)));
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        _voting.Save(folder);
        IndexData.Of(_index).Save(folder);
        folder.WriteArray<double>("labels", _labels);
    }

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static KNeighborsRegressorModel Load(string path) => Load<KNeighborsRegressorModel>(path);
}
