using System.Globalization;
using System.Text.Json;

namespace Dataflow.Benchmarks.Running;

/// <summary>Prints measurements as they come: a table for people, or one JSON object a line.</summary>
internal sealed class Report(TextWriter output, bool json)
{
    private const string Columns = "{0,-62} {1,12} {2,12} {3,7} {4,8} {5,8}  {6}";

    /// <summary>Whether any row missed what it must reach.</summary>
    public bool AnyMissed { get; private set; }

    public void Header()
    {
        if (!json) output.WriteLine(string.Format(CultureInfo.InvariantCulture, Columns, "name", "ours", "peer", "ratio", "must", "goal", "met"));
    }

    public void Write(Measurement row)
    {
        AnyMissed |= !row.MeetsMust;
        output.WriteLine(json ? Json(row) : Text(row));
        output.Flush();
    }

    /// <summary>A row that could not be measured, and why.</summary>
    public void Skip(string name, string why)
    {
        if (json) Console.Error.WriteLine($"{name}: skipped: {why}");
        else output.WriteLine($"{name}: skipped: {why}");
    }

    private static string Text(Measurement row)
    {
        var sign = row.HigherIsBetter ? ">=" : "<=";
        var suffix = row.Peer is null ? "" : "x";
        return string.Format(CultureInfo.InvariantCulture, Columns,
            row.Name,
            $"{Figure(row.Ours)} {row.Unit}",
            row.Peer is { } peer ? $"{Figure(peer)} {row.Unit}" : "",
            row.Ratio is { } ratio ? Figure(ratio) + "x" : "",
            sign + Figure(row.Must) + suffix,
            sign + Figure(row.Goal) + suffix,
            row.MeetsGoal ? "goal" : row.MeetsMust ? "must" : "MISSED");
    }

    private static string Json(Measurement row) => JsonSerializer.Serialize(new Dictionary<string, object?>
    {
        ["name"] = row.Name,
        ["unit"] = row.Unit,
        ["ours"] = row.Ours,
        ["peer"] = row.Peer,
        ["ratio"] = row.Ratio,
        ["must"] = row.Must,
        ["goal"] = row.Goal,
        ["higher_is_better"] = row.HigherIsBetter,
        ["met"] = row.MeetsMust,
    });

    private static string Figure(double figure) => Math.Abs(figure) switch
    {
        >= 100 => figure.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 => figure.ToString("0.0", CultureInfo.InvariantCulture),
        _ => figure.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
