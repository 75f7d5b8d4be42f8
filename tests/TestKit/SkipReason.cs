namespace Dataflow.TestKit;

/// <summary>Why a fact is skipped, in one sentence.</summary>
internal static class SkipReason
{
    /// <summary>Null, which runs the fact, when what it needs is there or when this is CI, where it must be.</summary>
    public static string? Unless(bool present, string what, string package) =>
        Unless(present, what, package, isCi: Environment.GetEnvironmentVariable("CI") == "true");

    internal static string? Unless(bool present, string what, string package, bool isCi) =>
        present || isCi ? null : $"Needs {what}, which is not here. To run this test: apt-get install {package}";
}
