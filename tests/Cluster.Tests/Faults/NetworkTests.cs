using System.Diagnostics;
using Dataflow.TestKit;
using Xunit.Abstractions;

namespace Dataflow.Cluster.Tests;

/// <summary>Three hosts with a network between them that is cut and slowed: <c>tests/netns/run.sh</c>.</summary>
public sealed class NetworkTests(ITestOutputHelper output)
{
    private const int Skipped = 77;

    private static readonly string Script = Path.Combine(RepositoryRoot.Path, "tests", "netns", "run.sh");

    [FactOnNamespaces]
    public void Cut_and_slow_links_between_hosts_cost_time_and_no_answer()
    {
        var (code, printed) = Run(WorkerProcess.PathOf("Dataflow.NetworkProbe.dll"), WorkerProcess.PathOf("dataflow.dll"));
        output.WriteLine(printed);
        Assert.True(code == 0, printed);
    }

    private static (int Code, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", [Script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var printed = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, printed + errors.Result);
    }

    private sealed class FactOnNamespacesAttribute : FactAttribute
    {
        public FactOnNamespacesAttribute()
        {
            if (!OperatingSystem.IsLinux())
                Skip = "Needs network namespaces, which Linux has.";
            else if (Run("--check") is (Skipped, var reason))
                Skip = reason.Trim();
        }
    }
}
