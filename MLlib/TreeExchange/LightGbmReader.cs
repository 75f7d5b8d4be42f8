using System.Globalization;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeExchange;

/// <summary>Reads LightGBM's text line by line; every number is checked before something is made of it, and every error knows its line.</summary>
internal sealed class LightGbmReader(string text, string source)
{
    private const int MostClasses = 1_000_000;

    private int position;
    private int line;

    public TreeEnsemble Read()
    {
        if (Next() != "tree") throw Fault("the first line is not 'tree'; this is not a model in LightGBM's text format.");
        var header = Section(until: "Tree=", out var lastLine);
        var version = header.Text("version") ?? throw Fault("the header has no version.");
        if (version is not ("v3" or "v4")) throw Fault(header, "version", $"version {version} is not known; v3 and v4 are read.");

        var classes = header.Number("num_class", 1, MostClasses) ?? throw Fault("the header has no num_class.");
        var perIteration = header.Number("num_tree_per_iteration", 1, MostClasses) ?? classes;
        var features = 1 + (header.Number("max_feature_idx", 0, int.MaxValue - 1) ?? throw Fault("the header has no max_feature_idx."));
        var names = Words(header, "feature_names", features);
        var infos = Words(header, "feature_infos", features);
        var sizes = header.Text("tree_sizes")?.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;

        var trees = new List<Tree>();
        while (lastLine.StartsWith("Tree=", StringComparison.Ordinal))
        {
            if (lastLine != string.Create(CultureInfo.InvariantCulture, $"Tree={trees.Count}"))
                throw Fault($"'{Cut(lastLine)}' stands where Tree={trees.Count} was expected.");
            trees.Add(ReadTree(features, out lastLine));
        }
        if (lastLine != "end of trees") throw Fault("the file ends before 'end of trees'; it is cut off.");
        if (sizes is { } expected && expected != trees.Count) throw Fault(header, "tree_sizes", $"tree_sizes has {expected} entries, but there are {trees.Count} trees.");
        if (trees.Count % perIteration != 0)
            throw Fault(header, "num_tree_per_iteration", $"{trees.Count} trees are not a multiple of {perIteration} trees an iteration.");

        var (parameters, pandas) = Rest();
        return new TreeEnsemble(trees, features, perIteration, header.Text("objective") ?? "")
        {
            ClassCount = classes,
            AverageOutput = header.Text("average_output") is not null,
            LabelIndex = header.Number("label_index", int.MinValue, int.MaxValue) ?? 0,
            FeatureNames = names,
            FeatureInfos = [.. infos.Select((info, i) => Info(info, header.Line("feature_infos"), i))],
            MonotoneConstraints = header.Integers("monotone_constraints") ?? [],
            Parameters = parameters,
            PandasCategorical = pandas,
        };
    }

    private Tree ReadTree(int features, out string lastLine)
    {
        var start = line;
        var fields = Section(until: "Tree=", out lastLine, alsoUntil: "end of trees");
        var leaves = fields.Number("num_leaves", 1, int.MaxValue) ?? throw Fault(start, "the tree has no num_leaves.");
        if (fields.Number("is_linear", 0, 1) == 1)
            throw Fault(fields, "is_linear", "the tree has linear models in its leaves, which are not supported; train with linear_tree=false.");
        var nodes = leaves - 1;
        var categories = fields.Number("num_cat", 0, int.MaxValue) ?? 0;
        var values = fields.Doubles("leaf_value", leaves) ?? throw Fault(start, "the tree has no leaf_value.");
        var tree = new Tree
        {
            LeafValues = values,
            LeafWeights = Optional(fields.Doubles("leaf_weight", leaves), leaves),
            LeafCounts = fields.Longs("leaf_count", leaves) ?? new long[leaves],
            Features = Required(fields.Integers("split_feature", nodes), "split_feature"),
            Thresholds = Required(fields.Numbers("threshold", nodes), "threshold"),
            Decisions = [.. (fields.Integers("decision_type", nodes) ?? new int[nodes]).Select(Decision)],
            Left = Required(fields.Integers("left_child", nodes), "left_child"),
            Right = Required(fields.Integers("right_child", nodes), "right_child"),
            Gains = Optional(fields.Doubles("split_gain", nodes), nodes),
            InternalValues = Optional(fields.Doubles("internal_value", nodes), nodes),
            InternalWeights = Optional(fields.Doubles("internal_weight", nodes), nodes),
            InternalCounts = fields.Longs("internal_count", nodes) ?? new long[nodes],
            CategoryBounds = categories == 0 ? [] : Required(fields.Integers("cat_boundaries", categories + 1L), "cat_boundaries"),
            CategoryWords = categories == 0 ? [] : fields.Words("cat_threshold") ?? throw Fault(start, "the tree has no cat_threshold."),
            Shrinkage = fields.Double("shrinkage") ?? 1,
        };
        return TreeChecks.Fault(tree, features) is { } fault ? throw Fault(start, $"the tree is malformed: {fault}.") : tree;

        T[] Required<T>(T[]? read, string name) => read ?? (nodes == 0 ? [] : throw Fault(start, $"the tree has no {name}."));

        static double[] Optional(double[]? read, int count) => read ?? new double[count];

        byte Decision(int value) => value is >= 0 and <= 11 ? (byte)value : throw Fault(fields, "decision_type", $"decision type {value} has no meaning.");
    }

    /// <summary>What comes after the trees: importances (which follow from the trees), parameters, categories of pandas.</summary>
    private (IReadOnlyList<string> Parameters, string? Pandas) Rest()
    {
        var parameters = new List<string>();
        string? pandas = null;
        var inside = false;
        while (Next() is { } next)
        {
            if (next == "parameters:") inside = true;
            else if (next == "end of parameters") inside = false;
            else if (inside && next.Length > 0) parameters.Add(next);
            else if (!inside && next.StartsWith("pandas_categorical:", StringComparison.Ordinal)) pandas = next["pandas_categorical:".Length..];
        }
        return inside ? throw Fault("the file ends before 'end of parameters'; it is cut off.") : (parameters, pandas);
    }

    /// <summary>The lines <c>key=value</c> up to one that begins as told.</summary>
    private LightGbmFields Section(string until, out string lastLine, string? alsoUntil = null)
    {
        var fields = new LightGbmFields(source);
        while (Next() is { } next)
        {
            if (next.StartsWith(until, StringComparison.Ordinal) || next == alsoUntil || next == "end of trees")
            {
                lastLine = next;
                return fields;
            }
            if (next.Length == 0) continue;
            var mark = next.IndexOf('=');
            var key = mark < 0 ? next : next[..mark];
            if (!fields.Add(key, mark < 0 ? "" : next[(mark + 1)..], line)) throw Fault($"'{Cut(key)}' stands there twice.");
        }
        lastLine = "";
        return fields;
    }

    private string[] Words(LightGbmFields header, string key, int count)
    {
        var words = header.Text(key)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? throw Fault($"the header has no {key}.");
        return words.Length == count ? words : throw Fault(header, key, $"{key} has {words.Length} entries, but max_feature_idx says {count} features.");
    }

    private FeatureInfo Info(string info, int at, int feature)
    {
        if (info == "none") return FeatureInfo.Unused;
        if (info.StartsWith('[') && info.EndsWith(']'))
        {
            var mark = info.IndexOf(':');
            if (mark > 0 && LightGbmFields.TryNumber(info.AsSpan(1, mark - 1), out var low)
                && LightGbmFields.TryNumber(info.AsSpan(mark + 1, info.Length - mark - 2), out var high) && low <= high)
                return FeatureInfo.Numeric(low, high);
        }
        else
        {
            var parts = info.Split(':');
            var categories = new int[parts.Length];
            var good = true;
            for (var i = 0; i < parts.Length && good; i++) good = int.TryParse(parts[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out categories[i]);
            if (good) return FeatureInfo.Categorical(categories);
        }
        throw Fault(at, $"'{Cut(info)}' of feature {feature} in feature_infos is neither 'none', nor a range [low:high], nor categories a:b:c.");
    }

    private string? Next()
    {
        if (position >= text.Length) return null;
        var end = text.IndexOf('\n', position);
        if (end < 0) end = text.Length;
        var next = text[position..end].TrimEnd('\r');
        position = end + 1;
        line++;
        return next;
    }

    private static string Cut(string value) => value.Length <= 60 ? value : value[..60] + "...";

    private ModelFormatException Fault(string problem) => new(source, line, problem);

    private ModelFormatException Fault(int at, string problem) => new(source, at, problem);

    private ModelFormatException Fault(LightGbmFields fields, string key, string problem) => new(source, fields.Line(key), problem);
}
