using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;

namespace Dataflow.MLlib;

/// <summary>Values for some parameters of an estimator, or of stages inside a <see cref="Pipeline"/>: one candidate of a search.</summary>
public sealed class ParameterSet
{
    private readonly ValueList<Setting> _settings;

    internal ParameterSet(ValueList<Setting> settings) => _settings = settings;

    /// <summary>An estimator with these values.</summary>
    /// <remarks>Where a pipeline has several stages of a type, all of them get the value.</remarks>
    /// <param name="estimator">The estimator; it stays as it is.</param>
    /// <exception cref="ArgumentException">It neither is nor has a stage of a type whose parameter is set, or refuses a value.</exception>
    public T ApplyTo<T>(T estimator) where T : PipelineStage
    {
        ArgumentNullException.ThrowIfNull(estimator);
        var used = new HashSet<Setting>();
        var changed = (T)Change(estimator, used);
        if (_settings.FirstOrDefault(setting => !used.Contains(setting)) is { } unused)
            throw new ArgumentException(
                $"There is no {unused.Stage.Name} in {estimator.GetType().Name}, whose {unused.Property.Name} the search would set. "
                + "Search parameters of its stages.");
        return changed;
    }

    /// <summary>As <c>Regularization = 0.1, MaxIterations = 50</c>.</summary>
    public override string ToString() => string.Join(", ", _settings.Select(setting => $"{setting.Property.Name} = {TextOf(setting.Value)}"));

    internal ParameterSet With(Setting setting) => new([.. _settings, setting]);

    internal JsonArray ToJson() => new([.. _settings.Select(setting => (JsonNode)new JsonObject
    {
        ["stage"] = setting.Stage.AssemblyQualifiedName,
        ["parameter"] = setting.Property.Name,
        ["value"] = ModelFolder.NodeOf(setting.Value),
    })]);

    internal static ParameterSet FromJson(JsonArray json, ModelFolder folder) => new([.. json.Select(node =>
    {
        var (stage, name) = ((string?)node?["stage"] ?? "", (string?)node?["parameter"] ?? "");
        return Type.GetType(stage, throwOnError: false) is { } type && type.IsAssignableTo(typeof(PipelineStage)) && type.GetProperty(name) is { } property
            ? new Setting(type, property, ModelFolder.ValueOf(node!["value"], property.PropertyType))
            : throw new ModelFormatException($"The saved search in '{folder.Path}' sets the parameter '{name}' of '{stage}', which this build does not know.");
    })]);

    private PipelineStage Change(PipelineStage stage, HashSet<Setting> used)
    {
        if (stage is Pipeline pipeline) stage = pipeline with { Stages = [.. pipeline.Stages.Select(each => Change(each, used))] };
        PipelineStage? copy = null;
        foreach (var setting in _settings)
        {
            if (!setting.Stage.IsInstanceOfType(stage)) continue;
            used.Add(setting);
            copy ??= CopyOf(stage);
            setting.SetOn(copy);
        }
        return copy ?? stage;
    }

    // What `with` calls.
    private static PipelineStage CopyOf(PipelineStage stage) => (PipelineStage)stage.GetType().GetMethod("<Clone>$")!.Invoke(stage, [])!;

    private static string TextOf(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(TextOf))}]",
        double number => number.ToString("G6", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>A value of one parameter.</summary>
    internal sealed record Setting(Type Stage, PropertyInfo Property, object? Value)
    {
        /// <summary>Sets it on a stage that nobody else has yet.</summary>
        public void SetOn(PipelineStage stage)
        {
            try
            {
                Property.SetValue(stage, Value);
            }
            catch (TargetInvocationException e) when (e.InnerException is ArgumentException refused)
            {
                throw new ArgumentException($"{Stage.Name}.{Property.Name} can't be {TextOf(Value)}: {refused.Message}", refused);
            }
        }
    }
}
