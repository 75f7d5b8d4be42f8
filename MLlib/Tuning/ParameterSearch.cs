using System.Linq.Expressions;
using System.Reflection;

namespace Dataflow.MLlib;

/// <summary>Which candidates a <see cref="CrossValidator"/> or <see cref="TrainValidationSplit"/> tries.</summary>
public abstract class ParameterSearch
{
    private protected ParameterSearch() { }

    /// <summary>The candidates, in the order they are tried in; at least one.</summary>
    public abstract IReadOnlyList<ParameterSet> Candidates { get; }

    /// <summary>The property that an expression like <c>x => x.Regularization</c> names.</summary>
    private protected static PropertyInfo PropertyOf<TStage, TValue>(Expression<Func<TStage, TValue>> parameter) where TStage : PipelineStage
    {
        ArgumentNullException.ThrowIfNull(parameter);
        var property = (parameter.Body as MemberExpression)?.Member as PropertyInfo;
        if (property?.SetMethod is not { IsPublic: true } || (parameter.Body as MemberExpression)?.Expression is not ParameterExpression)
            throw new ArgumentException(
                $"'{parameter}' names no parameter of {typeof(TStage).Name}. Write it like x => x.Name, with a property that can be set.", nameof(parameter));

        // Of a property that a base type declares, the one that this type has.
        return typeof(TStage).GetProperty(property.Name) ?? property;
    }

    /// <summary>Refuses values at once that the stage would refuse later.</summary>
    private protected static void Check(Type stage, PropertyInfo property, object? value)
    {
        if (StageParameters.DefaultsOf(stage) is PipelineStage defaults && stage.GetMethod("<Clone>$")?.Invoke(defaults, []) is PipelineStage trial)
            new ParameterSet.Setting(stage, property, value).SetOn(trial);
    }
}

/// <summary>Candidates that were read back.</summary>
internal sealed class ListedSearch(IReadOnlyList<ParameterSet> candidates) : ParameterSearch
{
    public override IReadOnlyList<ParameterSet> Candidates => candidates;
}
