using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests;

/// <summary>What tests start this assembly for: checks that need a process of their own, with instruction sets off. One entry a check.</summary>
internal static class Program
{
    private static readonly Dictionary<string, Func<string>> Checks = new(StringComparer.Ordinal)
    {
        ["budget"] = TreeFitting.BudgetChecks.Small,
        ["tree-memory"] = TreeFitting.TreeMemoryTests.Refused,
        ["numerics"] = Numerics.NumericsChecks.Fingerprint,
        ["predictions"] = TreeModels.RandomTrees.Fingerprint,
        ["trees"] = Trees.TreeChecksFingerprints.All,
        ["neighbors"] = Neighbors.NeighborChecks.Exact,
        ["neighbors-budget"] = Neighbors.NeighborChecks.SmallJoin,
        ["linear"] = Linear.LinearChecks.Fingerprint,
    };

    // Checks of something saved, which another process loads.
    private static readonly Dictionary<string, Func<string, string>> Loads = new(StringComparer.Ordinal)
    {
        ["neighbors-loaded"] = Neighbors.NeighborChecks.Loaded,
        ["features-loaded"] = Features.FeatureChecks.Loaded,
    };

    /// <summary>Runs a check of a folder in a process of its own, and gives what it printed.</summary>
    public static string RunLoaded(string check, string path)
    {
        var (exitCode, output) = Dotnet.Run(AppContext.BaseDirectory, "exec", typeof(Program).Assembly.Location, check, path);
        Assert.True(exitCode == 0, output);
        return output.Trim();
    }

    /// <summary>Runs a check in a process where instructions are off, and gives what it printed: the same as in this process, if bits do not depend on them.</summary>
    public static string RunWithout(string set, string check) =>
        InstructionSets.RunWithout(set, typeof(Program).Assembly, check, set).Trim();

    private static int Main(string[] arguments)
    {
        if (arguments is [var loads, var path] && Loads.TryGetValue(loads, out var load))
        {
            Console.WriteLine(load(path));
            return 0;
        }
        if (arguments is not [var check, var set] || !Checks.TryGetValue(check, out var run))
        {
            Console.Error.WriteLine($"Usage: {string.Join('|', Checks.Keys)} avx512|avx2: prints the fingerprint of a check in a process where these instructions are off. "
                + "Tests run with dotnet test.");
            return 2;
        }
        InstructionSets.AssertIsOff(set);
        Console.WriteLine(run());
        return 0;
    }
}
