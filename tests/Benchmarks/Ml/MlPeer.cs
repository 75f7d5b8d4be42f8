using System.Diagnostics;
using System.Text.Json;
using Dataflow.Benchmarks.TpchRuns;

namespace Dataflow.Benchmarks.Ml;

/// <summary>Learners of other libraries, run by <c>tests/Peers/ml_bench.py</c> in a process of their own.</summary>
internal static class MlPeer
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Runs one; null if Python or a library is not there, after saying what to install.</summary>
    public static JsonElement? Run(string what, string folder, params string[] more)
    {
        var script = Path.Combine(Repository.Root, "tests", "Peers", "ml_bench.py");
        if (!File.Exists(Python)) return Missing($"there is no {Python}");
        var start = new ProcessStartInfo(Python, [script, what, folder, .. more]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode == 0) return JsonDocument.Parse(output.TrimEnd().Split('\n')[^1]).RootElement;
        return Missing(errors.Result.TrimEnd().Split('\n')[^1]);

        JsonElement? Missing(string why)
        {
            Console.Error.WriteLine($"{what}: no peer, {why}. On Debian: apt-get install python3-sklearn python3-xgboost python3-faiss");
            return null;
        }
    }
}
