using System.Globalization;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.TreeExchange;

/// <summary>Rows of numbers in a file of tests/data, separated by tabs or spaces; <c>nan</c> or nothing is missing.</summary>
internal static class StoredTable
{
    public static string PathOf(string name) => Path.Combine(RepositoryRoot.Path, "tests", "data", name);

    public static double[][] Read(string name) =>
        [.. File.ReadLines(PathOf(name)).Select(line => line.Split(line.Contains('\t', StringComparison.Ordinal) ? '\t' : ' ').Select(Number).ToArray())];

    private static double Number(string word) => word is "" or "nan" ? double.NaN : double.Parse(word, CultureInfo.InvariantCulture);
}
