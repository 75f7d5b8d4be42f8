using System.Diagnostics;
using System.Globalization;

namespace Dataflow.Benchmarks.Running;

/// <summary>Work of benchmarks that must run in a process of its own.</summary>
internal static class Children
{
    /// <summary>The first argument that starts a child instead of a suite.</summary>
    public const string Verb = "child";

    private static readonly Dictionary<string, Func<string[], int>> Works = new()
    {
        ["empty-tasks"] = Rdds.TaskBenchmarks.Child,
        ["sort"] = Rdds.SortBenchmarks.Child,
        ["hello"] = Rdds.StartBenchmarks.Hello,
        ["small-job"] = Rdds.StartBenchmarks.SmallJob,
        [Cluster.ScaleBenchmarks.Work] = Cluster.ScaleBenchmarks.Child,
    };

    /// <summary>What a child left behind.</summary>
    /// <param name="Figures">The numbers on the last line it printed.</param>
    /// <param name="Milliseconds">From just before its start to its exit.</param>
    /// <param name="PeakBytes">The largest private resident memory (RssAnon) seen; 0 where the system does not tell.</param>
    public sealed record Result(double[] Figures, double Milliseconds, long PeakBytes);

    /// <summary>Runs the child named by the arguments in this process.</summary>
    public static int Run(ReadOnlySpan<string> args) => Works[args[0]](args[1..].ToArray());

    /// <summary>Starts this program as a child and waits for its end.</summary>
    /// <exception cref="InvalidOperationException">The child failed; the message has what it said.</exception>
    public static Result Start(string work, params string[] arguments)
    {
        var start = This([Verb, work, .. arguments]);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        var peak = 0L;
        while (!process.WaitForExit(5)) peak = Math.Max(peak, PrivateBytes(process.Id));
        process.WaitForExit();
        var elapsed = clock.Elapsed.TotalMilliseconds;
        if (process.ExitCode != 0) throw new InvalidOperationException($"The child '{work}' ended with {process.ExitCode}: {output.Result}{errors.Result}");
        var figures = output.Result.TrimEnd().Split('\n')[^1].Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture));
        return new Result([.. figures], elapsed, peak);
    }

    /// <summary>How this program is started with other arguments.</summary>
    public static ProcessStartInfo This(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!);
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return start;
    }

    private static long PrivateBytes(int process)
    {
        try
        {
            const string label = "RssAnon:";
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line[label.Length..^" kB".Length], CultureInfo.InvariantCulture) << 10;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0; // It ended in between, or this system has no such file.
        }
    }
}
