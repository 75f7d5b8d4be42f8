using System.Globalization;
using Dataflow.MLlib.Data;
using Dataflow.MLlib.Features;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeFitting;

namespace Dataflow.MLlib;

/// <summary>
/// Measures how much a fitted model's score owes to each column: the column's values are shuffled among the rows, which takes away what they say of the label, and the
/// score drops by that much (Breiman 2001, section 10; for any model: Fisher, Rudin and Dominici 2019).
/// </summary>
/// <remarks>
/// <para>Measure it on rows that the model was not fitted with: there it says what helps, and not what was learned by heart. Of columns that say the same each counts for
/// little, since the other stands in.</para>
/// <para>Row i gets the value of row p(i), where p is a permutation of the rows' numbers in the frame that is made of seed, column and repeat alone: the same for any
/// partitions, threads and executors. With evaluators of exact sums the importances have the same bits too.</para>
/// <para>Cost: 1 + columns x repeats times that of transforming and evaluating the frame, each with a join of one column by row number. The frame is kept
/// meanwhile.</para>
/// </remarks>
public sealed record PermutationImportance
{
    private const ulong Stream = 0x7065726D;

    // Columns that a shuffle adds and takes away.
    private const string From = "__from", Key = "__key", Value = "__value";

    /// <summary>Says how good predictions are.</summary>
    public required ModelEvaluator Evaluator { get; init; }

    /// <summary>The columns that are shuffled: numbers, texts or vectors, also those that only a pipeline's first stages read. <c>features_3</c> means element 3 of the column
    /// of vectors <c>features</c>. Empty takes the feature columns of the model.</summary>
    public ValueList<string> Columns { get; init => field = Check.Names(value); } = [];

    /// <summary>Whether a column of vectors is shuffled as a whole, as is right for one that a single category became; else each of its elements by itself.</summary>
    public bool WholeVectors { get; init; }

    /// <summary>How many times each column is shuffled.</summary>
    public int Repeats { get; init => field = Check.AtLeast(value, 1); } = 5;

    /// <summary>Decides how rows are shuffled.</summary>
    public long Seed { get; init; }

    /// <summary>Measures the importances of a model's columns.</summary>
    /// <remarks>Action: jobs one after the other.</remarks>
    /// <param name="model">A fitted model, or a whole pipeline of them.</param>
    /// <param name="frame">Rows as the model takes them, with what <see cref="Evaluator"/> needs.</param>
    /// <exception cref="ArgumentException">The model does not say which columns it reads, and <see cref="Columns"/> is empty.</exception>
    /// <exception cref="QueryException">A column is missing, there are no rows, or the model or the evaluator can't take them.</exception>
    public PermutationImportances Measure(Transformer model, DataFrame frame) => MeasureAsync(model, frame).GetAwaiter().GetResult();

    /// <inheritdoc cref="Measure"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public async Task<PermutationImportances> MeasureAsync(Transformer model, DataFrame frame, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(frame);
        var names = Columns.Count > 0 ? Columns : model is FeatureModel features ? features.FeatureColumns : throw new ArgumentException(
            $"{model.GetType().Name} does not say which columns it reads. Name those to shuffle in {nameof(Columns)}. The frame has: {string.Join(", ", frame.Columns)}.", nameof(model));
        if (frame.Columns.FirstOrDefault(name => NamedFeatures.Has([From, Key, Value], name)) is { } taken)
            throw new QueryException("COLUMN_ALREADY_EXISTS", $"The frame has a column '{taken}', which is needed here. Give it another name.");
        using var numbered = await RowDraws.NumberAsync(frame, cancellationToken).ConfigureAwait(false);
        if (numbered.Rows == 0) throw FeatureMoments.NoRows(nameof(PermutationImportance));
        var unnumbered = numbered.Frame.Drop(RowDraws.NumberColumn);
        var places = new List<(string Column, int? Position)>();
        foreach (var name in names) places.AddRange(await PlacesOfAsync(unnumbered, name, cancellationToken).ConfigureAwait(false));
        var score = await ScoreAsync(model, unnumbered, cancellationToken).ConfigureAwait(false);
        var importances = new List<ColumnImportance>();
        foreach (var (column, position) in places)
        {
            var drops = new double[Repeats];
            for (var repeat = 0; repeat < Repeats; repeat++)
            {
                var shuffled = Shuffled(numbered, column, position, repeat);
                var worse = await ScoreAsync(model, shuffled, cancellationToken).ConfigureAwait(false);
                drops[repeat] = Evaluator.IsLargerBetter ? score - worse : worse - score;
            }
            importances.Add(new ColumnImportance(column, position, [.. drops]));
        }
        return new PermutationImportances(score, [.. importances]);
    }

    private Task<double> ScoreAsync(Transformer model, DataFrame rows, CancellationToken cancellationToken) => Evaluator.EvaluateAsync(model.Transform(rows), cancellationToken);

    // A column, or the elements of a column of vectors, or one of them.
    private async Task<IEnumerable<(string, int?)>> PlacesOfAsync(DataFrame frame, string name, CancellationToken cancellationToken)
    {
        var at = frame.Schema.IndexOf(name);
        if (at < 0 && name.LastIndexOf('_') is var mark and > 0 && int.TryParse(name.AsSpan(mark + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            && frame.Schema.IndexOf(name[..mark]) is var vector and >= 0 && frame.Schema[vector].Type.Kind == TypeKind.Vector)
        {
            return position < await SizeAsync(frame, name[..mark], cancellationToken).ConfigureAwait(false) ? [(name[..mark], position)] : throw new QueryException(
                "UNRESOLVED_COLUMN", $"There is no column '{name}', and the vectors of column '{name[..mark]}' have no element {position}.");
        }
        _ = frame[name];
        if (WholeVectors || frame.Schema[at].Type.Kind != TypeKind.Vector) return [(name, null)];
        return Enumerable.Range(0, await SizeAsync(frame, name, cancellationToken).ConfigureAwait(false)).Select(i => (name, (int?)i));
    }

    private static async Task<int> SizeAsync(DataFrame frame, string column, CancellationToken cancellationToken)
    {
        var sizes = await frame.Where(frame[column].IsNotNull()).Select(Functions.Call("vector_size", frame[column]).Cast(DataType.Int).As("size")).Limit(1)
            .CollectAsync(cancellationToken).ConfigureAwait(false);
        return sizes.Count > 0 ? sizes[0].Get<int>("size") : throw new QueryException("INVALID_FEATURE", $"Column '{column}' holds only NULL, so it has nothing to shuffle.");
    }

    private DataFrame Shuffled(RowDraws numbered, string column, int? position, int repeat)
    {
        var all = numbered.Frame;
        var stream = Stream + (ulong)repeat;
        foreach (var letter in column.ToUpperInvariant()) stream = RowHash.Key(stream, letter);
        var order = new RowPermutation(RowHash.Key(unchecked((ulong)Seed), RowHash.Key(stream, (ulong)(position ?? -1))), numbered.Rows);
        var value = position is { } at ? Functions.Call("vector_get", all[column], Functions.Lit(at)) : all[column];
        var partners = all.Select(all[RowDraws.NumberColumn].Cast(DataType.BigInt).As(Key), value.As(Value));
        var asking = all.WithColumn(From, Functions.Call(new PermutedNumber(order), all[RowDraws.NumberColumn]).Cast(DataType.BigInt));
        var joined = asking.Join(partners, asking[From] == partners[Key]);
        var now = position is { } element ? Functions.Call(new ReplaceElement(element, column), joined[column], joined[Value]) : joined[Value];
        return joined.WithColumn(column, now).Drop(RowDraws.NumberColumn, From, Key, Value);
    }

    private sealed class PermutedNumber(RowPermutation order) : NumberFunction("permuted_row")
    {
        public override double Of(double value) => order[(long)value];
    }
}
