using System.Globalization;
using System.Numerics;
using System.Text;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeExchange;

/// <summary>Writes LightGBM's text, version 4. Fields, their order, and digits are LightGBM's: 17 for what decides predictions, else as few as say the number.</summary>
internal static class LightGbmWriter
{
    public static string Format(TreeEnsemble ensemble)
    {
        var sections = ensemble.Trees.Select(Section).ToArray();
        var text = new StringBuilder(sections.Sum(section => section.Length) + 4096);
        text.Append("tree\nversion=v4\n");
        Line(text, "num_class", ensemble.ClassCount);
        Line(text, "num_tree_per_iteration", ensemble.TreesPerIteration);
        Line(text, "label_index", ensemble.LabelIndex);
        Line(text, "max_feature_idx", ensemble.FeatureCount - 1);
        if (ensemble.Objective.Length > 0) text.Append("objective=").Append(ensemble.Objective).Append('\n');
        if (ensemble.AverageOutput) text.Append("average_output\n");
        text.Append("feature_names=").AppendJoin(' ', ensemble.FeatureNames.Select(Name)).Append('\n');
        if (ensemble.MonotoneConstraints.Count > 0) text.Append("monotone_constraints=").AppendJoin(' ', ensemble.MonotoneConstraints).Append('\n');
        text.Append("feature_infos=");
        for (var i = 0; i < ensemble.FeatureCount; i++) Info(i == 0 ? text : text.Append(' '), ensemble.FeatureInfos[i]);
        text.Append("\ntree_sizes=").AppendJoin(' ', sections.Select(section => Encoding.UTF8.GetByteCount(section))).Append("\n\n");
        foreach (var section in sections) text.Append(section);
        text.Append("end of trees\n");
        Importances(text, ensemble);
        if (ensemble.Parameters.Count > 0)
        {
            text.Append("\nparameters:\n");
            foreach (var parameter in ensemble.Parameters) text.Append(parameter).Append('\n');
            text.Append("\nend of parameters\n");
        }
        if (ensemble.PandasCategorical is { } pandas) text.Append("\npandas_categorical:").Append(pandas).Append('\n');
        return text.ToString();
    }

    private static string Section(Tree tree, int index)
    {
        var text = new StringBuilder(tree.LeafCount * 160);
        Line(text.Append("Tree=").Append(index).Append('\n'), "num_leaves", tree.LeafCount);
        Line(text, "num_cat", Math.Max(0, tree.CategoryBounds.Length - 1));
        Whole(text, "split_feature", tree.Features);
        Real(text, "split_gain", tree.Gains, full: false);
        Real(text, "threshold", tree.Thresholds, full: true);
        Whole(text, "decision_type", tree.Decisions);
        Whole(text, "left_child", tree.Left);
        Whole(text, "right_child", tree.Right);
        Real(text, "leaf_value", tree.LeafValues, full: true);
        Real(text, "leaf_weight", tree.LeafWeights, full: true);
        Whole(text, "leaf_count", tree.LeafCounts);
        Real(text, "internal_value", tree.InternalValues, full: false);
        Real(text, "internal_weight", tree.InternalWeights, full: false);
        Whole(text, "internal_count", tree.InternalCounts);
        if (tree.CategoryBounds.Length > 1)
        {
            Whole(text, "cat_boundaries", tree.CategoryBounds);
            Whole(text, "cat_threshold", tree.CategoryWords);
        }
        return text.Append("is_linear=0\nshrinkage=").AppendShort(tree.Shrinkage).Append("\n\n\n").ToString();
    }

    private static void Line(StringBuilder text, string key, int value) => text.Append(CultureInfo.InvariantCulture, $"{key}={value}\n");

    private static void Whole<T>(StringBuilder text, string key, T[] values) where T : IBinaryInteger<T>
    {
        text.Append(key).Append('=');
        for (var i = 0; i < values.Length; i++) (i == 0 ? text : text.Append(' ')).Append(values[i].ToString(null, CultureInfo.InvariantCulture));
        text.Append('\n');
    }

    private static void Real(StringBuilder text, string key, double[] values, bool full)
    {
        text.Append(key).Append('=');
        for (var i = 0; i < values.Length; i++)
        {
            if (i > 0) text.Append(' ');
            _ = full ? text.AppendFull(values[i]) : text.AppendShort(values[i]);
        }
        text.Append('\n');
    }

    // Names are told apart by spaces there.
    private static string Name(string name, int index)
        => name.Length == 0 ? string.Create(CultureInfo.InvariantCulture, $"Column_{index}") : string.Concat(name.Select(c => char.IsWhiteSpace(c) ? '_' : c));

    private static void Info(StringBuilder text, FeatureInfo info)
    {
        if (info.Categories is { } categories) text.AppendJoin(':', categories);
        else if (info.IsUnused) text.Append("none");
        else text.Append('[').AppendFull(info.Minimum).Append(':').AppendFull(info.Maximum).Append(']');
    }

    private static void Importances(StringBuilder text, TreeEnsemble ensemble)
    {
        text.Append("\nfeature_importances:\n");
        var byGain = ensemble.Parameters.Contains("[saved_feature_importance_type: 1]");
        var importances = FeatureImportance.Of(ensemble, byGain ? ImportanceKind.Gain : ImportanceKind.Splits, ensemble.IterationCount);
        foreach (var (value, feature) in importances.Select((value, i) => ((long)value, i)).Where(pair => pair.Item1 > 0).OrderByDescending(pair => pair.Item1))
            text.Append(CultureInfo.InvariantCulture, $"{Name(ensemble.FeatureNames[feature], feature)}={value}\n");
    }
}
