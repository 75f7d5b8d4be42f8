using System.Linq.Expressions;
using System.Reflection;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib;

/// <summary>Candidates drawn at random from ranges of parameters (Bergstra and Bengio 2012): better than a grid where only some of many parameters matter.</summary>
/// <remarks>Immutable. The same seed gives the same candidates on every machine. Stages inside of a pipeline are named by the type of the lambda's parameter, as for
/// <see cref="ParamGrid{T}"/>.</remarks>
/// <typeparam name="T">The estimator.</typeparam>
public sealed class RandomSearch<T> : ParameterSearch where T : PipelineStage
{
    private readonly int _count;
    private readonly ulong _seed;
    private readonly ValueList<Range> _ranges;

    /// <summary>A search.</summary>
    /// <param name="candidates">How many candidates are drawn.</param>
    /// <param name="seed">What the draws begin with.</param>
    public RandomSearch(int candidates, ulong seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(candidates, 1);
        (_count, _seed, _ranges) = (candidates, seed, []);
    }

    private RandomSearch(int count, ulong seed, ValueList<Range> ranges) => (_count, _seed, _ranges) = (count, seed, ranges);

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterSet> Candidates => [.. Enumerable.Range(0, _count).Select(candidate => new ParameterSet(
        [.. _ranges.Select((range, i) => new ParameterSet.Setting(range.Stage, range.Property, range.Draw(RowHash.Uniform(_seed, candidate, (ulong)i))))]))];

    /// <summary>Draws a number evenly from low to below high.</summary>
    /// <param name="parameter">Which: <c>x => x.LearningRate</c>.</param>
    /// <param name="low">The smallest value.</param>
    /// <param name="high">Above the largest value.</param>
    /// <exception cref="ArgumentException">It is no parameter, or the range is empty or refused.</exception>
    public RandomSearch<T> Uniform(Expression<Func<T, double>> parameter, double low, double high) => AddUniform(parameter, low, high);

    /// <inheritdoc cref="Uniform(Expression{Func{T, double}}, double, double)"/>
    public RandomSearch<T> Uniform<TStage>(Expression<Func<TStage, double>> parameter, double low, double high) where TStage : PipelineStage => AddUniform(parameter, low, high);

    /// <summary>Draws a number from low to below high so that its logarithm is even: as often from 0.01 to 0.1 as from 0.1 to 1.</summary>
    /// <param name="parameter">Which: <c>x => x.Regularization</c>.</param>
    /// <param name="low">The smallest value, above 0.</param>
    /// <param name="high">Above the largest value.</param>
    /// <exception cref="ArgumentException">It is no parameter, or the range is empty or refused.</exception>
    public RandomSearch<T> LogUniform(Expression<Func<T, double>> parameter, double low, double high) => AddLogUniform(parameter, low, high);

    /// <inheritdoc cref="LogUniform(Expression{Func{T, double}}, double, double)"/>
    public RandomSearch<T> LogUniform<TStage>(Expression<Func<TStage, double>> parameter, double low, double high) where TStage : PipelineStage => AddLogUniform(parameter, low, high);

    /// <summary>Draws a whole number from least to most.</summary>
    /// <param name="parameter">Which: <c>x => x.Leaves</c>.</param>
    /// <param name="least">The smallest value.</param>
    /// <param name="most">The largest value.</param>
    /// <exception cref="ArgumentException">It is no parameter, or the range is empty or refused.</exception>
    public RandomSearch<T> Integers(Expression<Func<T, int>> parameter, int least, int most) => AddIntegers(parameter, least, most);

    /// <inheritdoc cref="Integers(Expression{Func{T, int}}, int, int)"/>
    public RandomSearch<T> Integers<TStage>(Expression<Func<TStage, int>> parameter, int least, int most) where TStage : PipelineStage => AddIntegers(parameter, least, most);

    /// <summary>Draws one of some values.</summary>
    /// <param name="parameter">Which: <c>x => x.Objective</c>.</param>
    /// <param name="values">The values.</param>
    /// <exception cref="ArgumentException">It is no parameter, there are no values, or one is refused.</exception>
    public RandomSearch<T> Choice<TValue>(Expression<Func<T, TValue>> parameter, params IReadOnlyList<TValue> values) => AddChoice(parameter, values);

    /// <inheritdoc cref="Choice{TValue}"/>
    public RandomSearch<T> Choice<TStage, TValue>(Expression<Func<TStage, TValue>> parameter, params IReadOnlyList<TValue> values) where TStage : PipelineStage => AddChoice(parameter, values);

    private RandomSearch<T> AddUniform<TStage>(Expression<Func<TStage, double>> parameter, double low, double high) where TStage : PipelineStage
    {
        if (!(low < high) || !double.IsFinite(high - low))
            throw new ArgumentException($"There is no range from {low} to {high}. Give a low end below the high one.");
        return Add(parameter, at => low + (at * (high - low)), low, Math.BitDecrement(high));
    }

    private RandomSearch<T> AddLogUniform<TStage>(Expression<Func<TStage, double>> parameter, double low, double high) where TStage : PipelineStage
    {
        if (!(low > 0 && low < high) || double.IsInfinity(high))
            throw new ArgumentException($"There is no logarithmic range from {low} to {high}. Give a low end above 0 and below the high one.");
        var (first, length) = (Elementary.Log(low), Elementary.Log(high) - Elementary.Log(low));
        return Add(parameter, at => Math.Clamp(Elementary.Exp(first + (at * length)), low, Math.BitDecrement(high)), low, Math.BitDecrement(high));
    }

    private RandomSearch<T> AddIntegers<TStage>(Expression<Func<TStage, int>> parameter, int least, int most) where TStage : PipelineStage
    {
        if (least > most) throw new ArgumentException($"There is no range from {least} to {most}. Give a least value that is not above the most.");
        return Add(parameter, at => (int)(least + Math.Floor(at * ((long)most - least + 1))), least, most);
    }

    private RandomSearch<T> AddChoice<TStage, TValue>(Expression<Func<TStage, TValue>> parameter, IReadOnlyList<TValue> values) where TStage : PipelineStage
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count == 0) throw new ArgumentException("There are no values to choose from. Give at least one.", nameof(values));
        return Add(parameter, at => values[(int)(at * values.Count)], [.. values]);
    }

    private RandomSearch<T> Add<TStage, TValue>(Expression<Func<TStage, TValue>> parameter, Func<double, object?> draw, params ReadOnlySpan<TValue> ends) where TStage : PipelineStage
    {
        var property = PropertyOf(parameter);
        foreach (var end in ends) Check(typeof(TStage), property, end);
        return new RandomSearch<T>(_count, _seed, _ranges.Add(new Range(typeof(TStage), property, draw)));
    }

    private sealed record Range(Type Stage, PropertyInfo Property, Func<double, object?> Draw);
}
