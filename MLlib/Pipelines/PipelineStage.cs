using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using Dataflow.Sql.Physical;

namespace Dataflow.MLlib;

/// <summary>
/// A step of a pipeline: an <see cref="Estimator"/>, which learns, or a <see cref="Transformer"/>, which adds columns. Immutable: parameters are init-only properties
/// with defaults, checked when they are set, and <c>with</c> makes a copy that differs in some of them.
/// </summary>
/// <remarks>Its public init-only properties of plain types are what is saved as its parameters, and what grids vary. What a model learned is written
/// by <see cref="Write"/> and read back by a constructor that takes a <see cref="ModelFolder"/>.</remarks>
public abstract record PipelineStage
{
    /// <summary>Saves it in a folder of its own: <c>metadata.json</c>, which people can read, and files beside it.</summary>
    /// <remarks>Written under another name first and renamed at the end: there is a whole stage or none.</remarks>
    /// <param name="path">The folder; it is made.</param>
    /// <param name="overwrite">Whether a folder that is there is replaced.</param>
    /// <exception cref="IOException">The folder is there, or can't be written.</exception>
    public void Save(string path, bool overwrite = false) => ModelFolder.Save(this, path, overwrite);

    /// <summary>Loads what <see cref="Save"/> wrote, in whichever process.</summary>
    /// <typeparam name="T">What is expected.</typeparam>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">The folder holds something else, is of a later version, or is damaged; says which file.</exception>
    public static T Load<T>(string path) where T : PipelineStage => ModelFolder.Load<T>(path);

    /// <summary>Writes what was learned. Parameters are written by the caller.</summary>
    /// <param name="folder">Where to.</param>
    protected internal virtual void Write(ModelFolder folder) { }

    /// <summary>Its name, and the parameters that differ from their defaults: <c>LogisticRegression(MaxIterations = 50)</c>.</summary>
    public sealed override string ToString()
    {
        var text = new StringBuilder(GetType().Name).Append('(');
        var first = true;
        var plain = StageParameters.DefaultsOf(GetType());
        foreach (var property in StageParameters.Of(GetType()))
        {
            var value = property.GetValue(this);
            if (plain is not null && StageParameters.AreEqual(value, property.GetValue(plain))) continue;
            text.Append(first ? "" : ", ").Append(property.Name).Append(" = ").Append(TextOf(value));
            first = false;
        }
        return text.Append(')').ToString();
    }

    private static string TextOf(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(TextOf))}]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}

/// <summary>Learns from a frame. See <see cref="Estimator{TModel}"/>, which all estimators are.</summary>
public abstract record Estimator : PipelineStage
{
    private protected Estimator() { }

    /// <summary>Learns, and gives what was learned.</summary>
    internal abstract Task<Transformer> FitStageAsync(DataFrame frame, CancellationToken cancellationToken);
}

/// <summary>Learns from a frame: <c>new LogisticRegression { MaxIterations = 50 }.Fit(train)</c> gives a <c>LogisticRegressionModel</c>.</summary>
/// <typeparam name="TModel">What it learns.</typeparam>
public abstract record Estimator<TModel> : Estimator where TModel : Transformer
{
    /// <summary>Learns from the rows of a frame.</summary>
    /// <remarks>Action: runs jobs on the frame's context.</remarks>
    /// <param name="frame">The rows.</param>
    /// <exception cref="QueryException">A column is missing or of a type that does not fit.</exception>
    public TModel Fit(DataFrame frame) => FitAsync(frame).GetAwaiter().GetResult();

    /// <inheritdoc cref="Fit"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public Task<TModel> FitAsync(DataFrame frame, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return QueryRunErrors.Unwrap(LearnAsync(frame, cancellationToken));
    }

    /// <summary>Learns. What is wrong with the data is a <see cref="QueryException"/>, also where a task finds it: the job's own error is taken off.</summary>
    /// <param name="frame">The rows.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    protected abstract Task<TModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken);

    internal sealed override async Task<Transformer> FitStageAsync(DataFrame frame, CancellationToken cancellationToken) =>
        await FitAsync(frame, cancellationToken).ConfigureAwait(false);
}

/// <summary>Adds columns to a frame, lazily: models, and steps that need not learn.</summary>
public abstract record Transformer : PipelineStage
{
    /// <summary>The frame with more columns. Only builds a plan: nothing runs, so it works on streams too.</summary>
    /// <param name="frame">Rows.</param>
    /// <exception cref="QueryException">A column is missing, is of a type that does not fit, or one of the new names is there already.</exception>
    public abstract DataFrame Transform(DataFrame frame);

    /// <summary>Prepares to transform single rows without any engine: in a web service, in microseconds a row.</summary>
    /// <remarks>The same expressions run as in a query, so results have the same bits. Takes some milliseconds; keep what it gives. See
    /// <see cref="RowPipeline{TRow, TResult}"/>.</remarks>
    /// <typeparam name="TRow">What rows are: a record whose properties have the names of the columns that are read. Others, such as the label, need not be there.</typeparam>
    /// <typeparam name="TResult">What is made of a row: a record with the columns that are wanted, of those that were there or were added; or a plain value.</typeparam>
    /// <param name="columns">The columns that become the result, in order: for tuples and plain values. None takes those that the record has members for, and
    /// <c>prediction</c> for a plain value. What is not wanted is not computed.</param>
    /// <exception cref="QueryException">A column is missing or of a type that does not fit, or a stage needs an engine (<c>NO_ENGINE</c>; says which).</exception>
    public RowPipeline<TRow, TResult> ForRows<TRow, TResult>(params ReadOnlySpan<string> columns) => new(this, columns.ToArray());
}
