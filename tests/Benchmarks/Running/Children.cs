namespace Dataflow.Benchmarks.Running;

/// <summary>Work of benchmarks that must run in a process of its own.</summary>
internal static class Children
{
    /// <summary>The first argument that starts a child instead of a suite.</summary>
    public const string Verb = "child";

    private static readonly Dictionary<string, Func<string[], int>> Works = [];

    public static void Add(string name, Func<string[], int> work) => Works.Add(name, work);

    public static int Run(ReadOnlySpan<string> args) => Works[args[0]](args[1..].ToArray());
}
