using System.Globalization;
using Dataflow.MLlib.TreeObjectives;

namespace Dataflow.MLlib.Trees;

/// <summary>Says what is wrong with labels and weights before any tree is grown; in all shards, wherever the row is.</summary>
internal static class LabelChecks
{
    /// <summary>Checks all rows.</summary>
    /// <returns>The greatest weight of all shards, and whether any of them has weights.</returns>
    public static (double MaxWeight, bool AreWeighted) Check(TreeObjective objective, TreeShard shard, ITreeGroup group)
    {
        var rows = shard.Rows.Rows;
        if (shard.Labels.Length != rows) throw new ArgumentException($"There are {rows} rows and {shard.Labels.Length} labels.", nameof(shard));
        if (shard.Weights is { } given && given.Length != rows) throw new ArgumentException($"There are {rows} rows and {given.Length} weights.", nameof(shard));
        if (shard.InitialScores is { } scores && scores.Length != (long)rows * objective.Scores)
            throw new ArgumentException($"There are {rows} rows of {objective.Scores} scores and {scores.Length} initial scores.", nameof(shard));
        string? fault = null;
        if (objective.NeedsQueries && (shard.Queries is not { Length: > 0 } queries || queries[0] != 0 || queries[^1] != rows))
            fault = $"The objective '{objective.Text}' ranks the rows of a query, and the rows of this shard do not come as queries. Name the column that tells queries apart.";
        for (var i = 0; i < rows && fault is null; i++)
        {
            var label = shard.Labels[i];
            var why = float.IsFinite(label) ? objective.Fault(label) : "labels are finite numbers";
            if (why is not null) fault = string.Create(CultureInfo.InvariantCulture, $"Row {shard.Rows.Numbers[i]} has the label {(float.IsNaN(label) ? "NaN or null" : label)}; {why}. Filter or mend such rows.");
        }
        for (var i = 0; shard.InitialScores is { } initial && i < initial.Length && fault is null; i++)
        {
            if (!double.IsFinite(initial[i])) fault = string.Create(CultureInfo.InvariantCulture, $"Row {shard.Rows.Numbers[i % rows]} has the initial score {initial[i]} (NaN is null, too); initial scores are finite numbers. Filter or mend such rows.");
        }
        double most = 0;
        for (var i = 0; shard.Weights is { } weights && i < rows && fault is null; i++)
        {
            if (!(weights[i] >= 0 && float.IsFinite(weights[i])))
                fault = string.Create(CultureInfo.InvariantCulture, $"Row {shard.Rows.Numbers[i]} has the weight {weights[i]}; weights are finite and not negative.");
            most = Math.Max(most, weights[i]);
        }
        var messages = group.AllGather<char>(fault ?? "");
        if (messages.FirstOrDefault(message => message.Length > 0) is { } first) throw new QueryException("INVALID_LABEL", new string(first));
        var greatest = new[] { shard.Weights is null ? (rows > 0 ? 1 : 0) : most, rows, shard.Weights is null ? 0 : 1 };
        group.AllReduceMax(greatest);
        if (greatest[1] == 0) throw new QueryException("EMPTY_INPUT", "There are no rows to train on.");
        if (greatest[0] == 0) throw new QueryException("INVALID_WEIGHT", "All weights are 0, so nothing can be learned. Leave the weight column out, or weigh some rows.");
        return (greatest[0], greatest[2] > 0);
    }
}
