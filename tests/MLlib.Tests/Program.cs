using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests;

/// <summary>What tests start this assembly for: checks that need a process of their own, with instruction sets off. One entry a check.</summary>
internal static class Program
{
    private static readonly Dictionary<string, Func<string>> Checks = new(StringComparer.Ordinal)
    {
        ["numerics"] = Numerics.NumericsChecks.Fingerprint,
        ["neighbors"] = Neighbors.NeighborChecks.Exact,
    };

    /// <summary>Runs a check in a process where instructions are off, and gives what it printed: the same as in this process, if bits do not depend on them.</summary>
    public static string RunWithout(string set, string check) =>
        InstructionSets.RunWithout(set, typeof(Program).Assembly, check, set).Trim();

    private static int Main(string[] arguments)
    {
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
