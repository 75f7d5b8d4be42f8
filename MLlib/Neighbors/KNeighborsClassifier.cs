using Dataflow.MLlib.Data;
using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib;

/// <summary>Predicts the class that the nearest rows vote for; of classes with equally many votes the smallest.</summary>
/// <remarks>Fit keeps all rows in this process and learns nothing else; see <see cref="NearestNeighbors"/>. Labels are classes 0, 1, 2 ...; a prediction costs a search.</remarks>
public sealed record KNeighborsClassifier : KNeighborsLearner<KNeighborsClassifierModel>
{
    /// <summary>The column of probabilities that the model adds: for each class its part of the votes.</summary>
    public string ProbabilityColumn { get; init => field = Check.Name(value); } = "probability";

    /// <inheritdoc/>
    protected override async Task<KNeighborsClassifierModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        var (index, labels) = await IndexAsync(frame, cancellationToken).ConfigureAwait(false);
        foreach (var label in labels)
        {
            if (label < 0 || label != Math.Floor(label) || label > 1_000_000)
                throw new QueryException("INVALID_LABEL", $"Column '{LabelColumn}' holds the label {label}, and classes are whole numbers from 0 to 1,000,000. Number them with StringIndexer first.");
        }
        return new KNeighborsClassifierModel(index, labels, Voting) { FeatureColumns = Features, PredictionColumn = PredictionColumn, ProbabilityColumn = ProbabilityColumn };
    }
}

/// <summary>What <see cref="KNeighborsClassifier"/> learned: rows and their classes. Immutable and thread-safe.</summary>
public sealed record KNeighborsClassifierModel : FeatureModel
{
    private readonly NeighborIndex _index;
    private readonly double[] _labels;
    private readonly Voting _voting;

    internal KNeighborsClassifierModel(NeighborIndex index, double[] labels, Voting voting)
    {
        _index = index;
        _labels = labels;
        _voting = voting;
        if (Array.Find(labels, label => label < 0 || label != Math.Floor(label) || label > 1_000_000) is var bad && bad != 0)
            throw new ArgumentException($"The label {bad} is no class: classes are whole numbers from 0 to 1,000,000.");
        ClassCount = (int)labels.Max() + 1;
    }

    internal KNeighborsClassifierModel(ModelFolder folder)
        : this(IndexData.Load(folder).ToIndex(), folder) { }

    private KNeighborsClassifierModel(NeighborIndex index, ModelFolder folder)
        : this(index, IndexData.LoadLabels(folder, index), Voting.Load(folder, index)) { }

    /// <summary>The column of probabilities that is added.</summary>
    public string ProbabilityColumn { get; init => field = Check.Name(value); } = "probability";

    /// <summary>How many classes there are.</summary>
    public int ClassCount { get; }

    /// <inheritdoc/>
    public override int FeatureCount => _index.Rows.Features;

    /// <summary>The class of a row, without any engine.</summary>
    /// <param name="row">Its features.</param>
    /// <exception cref="ArgumentException">It has another number of features.</exception>
    public double Predict(ReadOnlySpan<double> row) => Largest(PredictProbabilities(row));

    /// <summary>Each class's part of the votes for a row, without any engine.</summary>
    /// <param name="row">Its features.</param>
    /// <exception cref="ArgumentException">It has another number of features.</exception>
    public double[] PredictProbabilities(ReadOnlySpan<double> row)
    {
        var votes = new double[ClassCount];
        PredictProbabilities(row, votes);
        return votes;
    }

    /// <inheritdoc cref="PredictProbabilities(ReadOnlySpan{double})"/>
    /// <param name="probabilities">Filled; as many as there are classes.</param>
    public void PredictProbabilities(ReadOnlySpan<double> row, Span<double> probabilities)
    {
        CheckRow(row.Length);
        if (probabilities.Length != ClassCount) throw new ArgumentException(
            $"There are {ClassCount} classes, and room for {probabilities.Length} probabilities.", nameof(probabilities));
        VoteScorer.Votes(_index, _labels, _voting, QueryRows.Of(row, row.Length, nameof(KNeighborsClassifierModel)), Environment.ProcessorCount, probabilities);
    }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var scorer = new VoteScorer(SharedIndex.Of(_index, frame.Session.Context), frame.Session.Context.Broadcast(_labels), _voting, FeatureCount, ClassCount);
        var voted = Add(frame, ProbabilityColumn, scorer.Of(frame, FeaturesOf(frame)));
        return Add(voted, PredictionColumn, new LargestScorer(ClassCount).Of(voted, Data.FeatureColumns.Of(voted, [ProbabilityColumn], nameof(KNeighborsClassifierModel))));
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
    public static KNeighborsClassifierModel Load(string path) => Load<KNeighborsClassifierModel>(path);

    private static int Largest(ReadOnlySpan<double> values)
    {
        var most = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[most]) most = i;
        }
        return most;
    }

    private sealed class LargestScorer(int classes) : RowScorer("largest")
    {
        public override int Width => classes;

        public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output)
        {
            for (var i = 0; i < count; i++) output[i] = Largest(rows.Slice(i * width, width));
        }
    }
}
