using System.Globalization;
using System.Text;
using System.Text.Json;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeExchange;

/// <summary>Finds the parts of XGBoost's JSON: the learner's parameters, its objective, the booster, and the trees (<see cref="XGBoostTree"/>).</summary>
internal sealed class XGBoostReader(string source)
{
    private const int MostClasses = 1_000_000;

    public TreeEnsemble Read(string text)
    {
        using var document = Document(text);
        var learner = Member(document.RootElement, "learner", JsonValueKind.Object);
        var parameters = Member(learner, "learner_model_param", JsonValueKind.Object);
        var features = Whole(parameters, "num_feature", 1, int.MaxValue);
        var classes = Math.Max(1, Whole(parameters, "num_class", 0, MostClasses));
        if (parameters.TryGetProperty("num_target", out _) && Whole(parameters, "num_target", 0, MostClasses) > 1)
            throw Fault("the model has several targets, which are not supported.");

        var (objective, baseMargin) = Objective(learner, parameters, classes);
        var (model, weights) = Booster(learner);
        var elements = Member(model, "trees", JsonValueKind.Array);
        var groups = Integers(Member(model, "tree_info", JsonValueKind.Array), "tree_info");
        if (groups.Length != elements.GetArrayLength()) throw Fault($"tree_info has {groups.Length} entries for {elements.GetArrayLength()} trees.");
        if (weights is not null && weights.Length != groups.Length) throw Fault($"weight_drop has {weights.Length} entries for {groups.Length} trees.");

        var known = new XGBoostCategories(this);
        var index = 0;
        foreach (var element in elements.EnumerateArray()) known.Note(element, features, index++);
        var byClass = new List<Tree>[classes];
        for (var k = 0; k < classes; k++) byClass[k] = [];
        index = 0;
        foreach (var element in elements.EnumerateArray())
        {
            var group = groups[index];
            if ((uint)group >= (uint)classes) throw Fault($"tree {index} is of class {group}, but there are {classes}.");
            var first = byClass[group].Count == 0 ? baseMargin : 0;
            byClass[group].Add(new XGBoostTree(this, element, index, features, known).Read(weights?[index] ?? 1, first));
            index++;
        }
        return Ensemble(byClass, features, classes, objective, baseMargin, learner, model);
    }

    public ModelFormatException Fault(string problem) => new(source, 0, problem);

    public JsonElement Member(JsonElement parent, string name, JsonValueKind kind)
    {
        if (parent.ValueKind != JsonValueKind.Object || !parent.TryGetProperty(name, out var member)) throw Fault($"'{name}' is missing where a model of XGBoost has it.");
        return member.ValueKind == kind ? member : throw Fault($"'{name}' is {Kind(member)}, not {kind.ToString().ToLowerInvariant()}.");
    }

    public int[] Integers(JsonElement array, string name)
    {
        var values = new int[array.GetArrayLength()];
        var at = 0;
        foreach (var element in array.EnumerateArray())
        {
            var good = element.ValueKind switch
            {
                JsonValueKind.Number => element.TryGetInt32(out values[at]),
                JsonValueKind.True => (values[at] = 1) == 1,
                JsonValueKind.False => true,
                _ => false,
            };
            if (!good) throw Fault($"entry {at} of '{name}' is {Kind(element)}, not a whole number of 32 bits.");
            at++;
        }
        return values;
    }

    /// <summary>Numbers in single precision; NaN where the model has it.</summary>
    public float[] Floats(JsonElement array, string name)
    {
        var values = new float[array.GetArrayLength()];
        var at = 0;
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind == JsonValueKind.Null) values[at] = float.NaN;
            else if (element.ValueKind != JsonValueKind.Number || !element.TryGetSingle(out values[at])) throw Fault($"entry {at} of '{name}' is {Kind(element)}, not a number.");
            at++;
        }
        return values;
    }

    private static string Kind(JsonElement element)
    {
        var raw = element.GetRawText();
        return raw.Length <= 40 ? raw : element.ValueKind.ToString().ToLowerInvariant();
    }

    private static TreeEnsemble Ensemble(List<Tree>[] byClass, int features, int classes, string objective, double baseMargin, JsonElement learner, JsonElement model)
    {
        // Without trees, what is left is the base score.
        if (byClass.All(trees => trees.Count == 0) && baseMargin != 0)
        {
            foreach (var trees in byClass) trees.Add(XGBoostTree.Constant(baseMargin));
        }
        var rounds = byClass.Max(trees => trees.Count);
        var ordered = new List<Tree>();
        for (var i = 0; i < rounds; i++)
        {
            foreach (var trees in byClass) ordered.Add(i < trees.Count ? trees[i] : XGBoostTree.Constant(0));
        }
        var parallel = model.TryGetProperty("gbtree_model_param", out var param) && param.TryGetProperty("num_parallel_tree", out var text)
            && int.TryParse(text.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 ? count : 1;
        var best = learner.TryGetProperty("attributes", out var attributes) && attributes.ValueKind == JsonValueKind.Object && attributes.TryGetProperty("best_iteration", out var noted)
            && int.TryParse(noted.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var iteration) ? (iteration + 1L) * parallel : 0;
        var ensemble = new TreeEnsemble(ordered, features, classes, objective) { BestIteration = best < rounds ? (int)best : 0 };
        return learner.TryGetProperty("feature_names", out var names) && names.ValueKind == JsonValueKind.Array && names.GetArrayLength() == features
            ? ensemble.Named([.. names.EnumerateArray().Select(name => name.ToString())], ensemble.BestIteration)
            : ensemble;
    }

    private (string Objective, double BaseMargin) Objective(JsonElement learner, JsonElement parameters, int classes)
    {
        var name = Member(Member(learner, "objective", JsonValueKind.Object), "name", JsonValueKind.String).GetString()!;
        var score = BaseScore(parameters);
        return name switch
        {
            "reg:squarederror" or "reg:linear" or "reg:squaredlogerror" => ("regression", score),
            "reg:absoluteerror" => ("regression_l1", score),
            "reg:pseudohubererror" => ("huber", score),
            "reg:quantileerror" => ("quantile", score),
            "reg:logistic" => ("cross_entropy", Logit(score)),
            "binary:logistic" => ("binary sigmoid:1", Logit(score)),
            "binary:logitraw" => ("", Logit(score)),
            "count:poisson" => ("poisson", Log(score)),
            "reg:gamma" => ("gamma", Log(score)),
            "reg:tweedie" => ("tweedie", Log(score)),
            "multi:softprob" or "multi:softmax" => (string.Create(CultureInfo.InvariantCulture, $"multiclass num_class:{classes}"), score),
            "rank:pairwise" or "rank:ndcg" or "rank:map" => ("lambdarank", score),
            _ => throw Fault($"the objective '{Short(name)}' is not supported; reg:*, binary:logistic, binary:logitraw, count:poisson, multi:* and rank:* are."),
        };

        double Logit(double p) => p is > 0 and < 1 ? -Elementary.Log((1 / p) - 1) : throw Fault($"the base score {p} of {name} is not between 0 and 1.");

        double Log(double p) => p > 0 ? Elementary.Log(p) : throw Fault($"the base score {p} of {name} is not positive.");
    }

    private double BaseScore(JsonElement parameters)
    {
        // Newer versions write a list with one number a target.
        var text = Member(parameters, "base_score", JsonValueKind.String).GetString()!.Trim('[', ']');
        return float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var score) && float.IsFinite(score)
            ? score
            : throw Fault($"the base score '{Short(text)}' is not a finite number.");
    }

    private (JsonElement Model, float[]? Weights) Booster(JsonElement learner)
    {
        var booster = Member(learner, "gradient_booster", JsonValueKind.Object);
        var name = Member(booster, "name", JsonValueKind.String).GetString();
        return name switch
        {
            "gbtree" => (Member(booster, "model", JsonValueKind.Object), null),
            "dart" => (Member(Member(booster, "gbtree", JsonValueKind.Object), "model", JsonValueKind.Object), Weights(booster)),
            _ => throw Fault($"the booster '{Short(name)}' is not made of trees; gbtree and dart are supported."),
        };

        float[] Weights(JsonElement dart)
        {
            var weights = Floats(Member(dart, "weight_drop", JsonValueKind.Array), "weight_drop");
            return Array.TrueForAll(weights, float.IsFinite) ? weights : throw Fault("weight_drop has an entry that is not a finite number.");
        }
    }

    private int Whole(JsonElement parent, string name, int least, int most)
    {
        var text = Member(parent, name, JsonValueKind.String).GetString();
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) throw Fault($"'{name}' is '{Short(text)}', not a whole number.");
        return value >= least && value <= most ? value : throw Fault($"'{name}' is {value}; it must be from {least} to {most}.");
    }

    private static string Short(string? text) => text is null || text.Length <= 100 ? text ?? "" : text[..100] + "...";

    private JsonDocument Document(string text)
    {
        if (text.StartsWith("tree\n", StringComparison.Ordinal) || text.StartsWith("tree\r\n", StringComparison.Ordinal))
            throw Fault("it looks like LightGBM's text format, which is not XGBoost's JSON. Read it with FromLightGbm.");
        try
        {
            return JsonDocument.Parse(WithoutNaN(text));
        }
        catch (JsonException e)
        {
            // The reader's message may quote all that is left of the file, so a long one is cut and not passed on as the cause either.
            var isLong = e.Message.Length > 300;
            throw new ModelFormatException(source, (int)((e.LineNumber ?? -1) + 1),
                $"it is not JSON, or is cut off: {(isLong ? Short(e.Message) : e.Message)} Save the model as JSON (save_model with a name that ends in .json).", isLong ? null : e);
        }
    }

    // XGBoost writes NaN for the thresholds of categorical splits, which JSON does not know.
    private static string WithoutNaN(string text)
    {
        if (!text.Contains("NaN", StringComparison.Ordinal)) return text;
        var result = new StringBuilder(text.Length);
        var inside = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (inside && c == '\\' && i + 1 < text.Length)
            {
                result.Append(c).Append(text[++i]);
            }
            else if (!inside && c == 'N' && string.CompareOrdinal(text, i, "NaN", 0, 3) == 0)
            {
                result.Append("null");
                i += 2;
            }
            else
            {
                if (c == '"') inside = !inside;
                result.Append(c);
            }
        }
        return result.ToString();
    }
}
