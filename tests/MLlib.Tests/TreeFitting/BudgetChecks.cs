using System.Security.Cryptography;
using System.Text;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.TreeFitting;

/// <summary>A fit of more rows than the budget of a small process holds.</summary>
internal static class BudgetChecks
{
    private const string Rows = """
        SELECT id, (id * 7919 % 10007) / 10007.0D AS b, id % 13 AS c, id % 17 AS d, id % 101 AS e, id % 7 AS f, sqrt(id) AS g, id % 1009 AS h, id % 3 AS i, id % 11 AS j, id % 5 AS k, id % 19 AS l,
               sin(id / 1e5D) + (id * 7919 % 10007) / 10007.0D AS y, id % 7 = 0 AS w
        FROM range(2500000)
        """;

    /// <summary>Run in a process of its own: with 224 MB for everything, most rows lie in files while trees grow, and no file is left.</summary>
    public static string Small()
    {
        using var temp = new TempDirectory();
        var model = Fit(DataflowOptions.Default with { Threads = 2, MemoryBytes = 224 << 20, TempFolder = temp.Path }, temp.Path);
        var left = Directory.GetFiles(temp.Path, "rows-*", SearchOption.AllDirectories);
        return left.Length == 0 ? model : $"{left.Length} files are left";
    }

    /// <summary>The model's fingerprint.</summary>
    /// <param name="options">Of the context.</param>
    /// <param name="lookFor">A folder in which files of rows must be while trees grow; null if there need be none.</param>
    public static string Fit(DataflowOptions options, string? lookFor)
    {
        using var context = DataflowContext.Local(options);
        var files = 0;
        var learner = new GradientBoostedTreesRegressor
        {
            FeatureColumns = ["id", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"],
            LabelColumn = "y",
            Trees = 5,
            ValidationColumn = "w",
            Metrics = ["rmse"],
            Progress = _ => files += lookFor is null ? 0 : Directory.GetFiles(lookFor, "rows-*", SearchOption.AllDirectories).Length,
        };
        var text = learner.Fit(context.Sql(Rows)).ToDebugText();
        return lookFor is not null && files == 0 ? "no rows were in files" : Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
