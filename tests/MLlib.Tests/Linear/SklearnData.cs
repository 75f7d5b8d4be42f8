using System.Text.Json;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>The data set of tests/data/sklearn/linear.json, and what scikit-learn learned of it (tests/Peers/linear.py).</summary>
internal static class SklearnData
{
    private static readonly JsonElement Root = JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "tests", "data", "sklearn", "linear.json"))).RootElement;

    /// <summary>A row.</summary>
    public sealed record Point(Vector Features, double Label, double Weight, int Binary, int Three);

    public static double[][] X => Get<double[][]>("X");

    public static Point[] Points
    {
        get
        {
            var (x, y, weights, binary, three) = (X, Get<double[]>("y"), Get<double[]>("weights"), Get<int[]>("binary"), Get<int[]>("three"));
            return [.. x.Select((row, i) => new Point(Vector.Dense(row), y[i], weights[i], binary[i], three[i]))];
        }
    }

    /// <summary>A value of the file: <c>"ridge_7", "coefficients"</c>.</summary>
    public static T Get<T>(params string[] path) => path.Aggregate(Root, (at, name) => at.GetProperty(name)).Deserialize<T>()!;

    /// <summary>Asserts that numbers are equal within a tolerance relative to the largest.</summary>
    public static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double tolerance, string what = "")
    {
        Assert.Equal(expected.Length, actual.Length);
        var largest = expected.ToArray().Append(1e-300).Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
        {
            if (Math.Abs(expected[i] - actual[i]) > tolerance * largest || double.IsNaN(actual[i]))
                Assert.Fail($"{what} [{i}]: {actual[i]:R} instead of {expected[i]:R}, all: {string.Join(", ", actual.ToArray())} instead of {string.Join(", ", expected.ToArray())}");
        }
    }
}
