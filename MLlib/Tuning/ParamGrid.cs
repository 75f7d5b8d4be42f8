using System.Linq.Expressions;

namespace Dataflow.MLlib;

/// <summary>All combinations of values of some parameters: <c>new ParamGrid&lt;LogisticRegression&gt;().Add(x => x.Regularization, 0.01, 0.1)</c>.</summary>
/// <remarks>Immutable. For a stage inside of a pipeline its type is named:
/// <c>new ParamGrid&lt;Pipeline&gt;().Add((LogisticRegression x) => x.Regularization, 0.01, 0.1)</c>. The parameter that was added last varies fastest.</remarks>
/// <typeparam name="T">The estimator.</typeparam>
public sealed class ParamGrid<T> : ParameterSearch where T : PipelineStage
{
    private readonly IReadOnlyList<ParameterSet> _candidates;

    /// <summary>A grid of one candidate, which changes nothing.</summary>
    public ParamGrid() : this([new ParameterSet([])]) { }

    private ParamGrid(IReadOnlyList<ParameterSet> candidates) => _candidates = candidates;

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterSet> Candidates => _candidates;

    /// <summary>The grid times some values of a parameter.</summary>
    /// <param name="parameter">Which: <c>x => x.MaxIterations</c>.</param>
    /// <param name="values">The values, each once.</param>
    /// <exception cref="ArgumentException">It is no parameter, there are no values, or one is refused.</exception>
    public ParamGrid<T> Add<TValue>(Expression<Func<T, TValue>> parameter, params IReadOnlyList<TValue> values) => AddOf(parameter, values);

    /// <summary>The grid times some values of a parameter of a stage of the pipeline.</summary>
    /// <typeparam name="TStage">The type of the stage.</typeparam>
    /// <typeparam name="TValue">The type of the parameter.</typeparam>
    /// <param name="parameter">Which: <c>(LogisticRegression x) => x.MaxIterations</c>.</param>
    /// <param name="values">The values, each once.</param>
    /// <exception cref="ArgumentException">It is no parameter, there are no values, or one is refused.</exception>
    public ParamGrid<T> Add<TStage, TValue>(Expression<Func<TStage, TValue>> parameter, params IReadOnlyList<TValue> values) where TStage : PipelineStage => AddOf(parameter, values);

    private ParamGrid<T> AddOf<TStage, TValue>(Expression<Func<TStage, TValue>> parameter, IReadOnlyList<TValue> values) where TStage : PipelineStage
    {
        var property = PropertyOf(parameter);
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count == 0) throw new ArgumentException($"There are no values for {property.Name}. Give at least one.", nameof(values));
        foreach (var value in values) Check(typeof(TStage), property, value);
        return new ParamGrid<T>([.. _candidates.SelectMany(candidate => values.Select(value => candidate.With(new ParameterSet.Setting(typeof(TStage), property, value))))]);
    }
}
