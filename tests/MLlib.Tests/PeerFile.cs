using System.Text.Json;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests;

/// <summary>Numbers that a script in <c>tests/Peers</c> wrote, with what scikit-learn makes of them.</summary>
internal static class PeerFile
{
    public static JsonElement Open(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "tests", "data", "sklearn", name))).RootElement;

    public static double[] Numbers(this JsonElement list) => [.. list.EnumerateArray().Select(Number)];

    public static double[][] Rows(this JsonElement list) => [.. list.EnumerateArray().Select(Numbers)];

    public static double Number(this JsonElement value) => value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble();

    /// <summary>Asserts that two lists agree, NaN with NaN.</summary>
    public static void AssertClose(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double tolerance = 1e-9)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
            Assert.True(expected[i].Equals(actual[i]) || Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])), $"Number {i} should be {expected[i]:R} and is {actual[i]:R}.");
    }
}
