using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Dataflow.Examples.Tests;

/// <summary>Runs an example as its user does: as a process of its own.</summary>
internal static class ExampleProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>The names of all examples that were built with the tests.</summary>
    public static IEnumerable<string> Names => Built.Keys.Order();

    /// <summary>Where an example was built to.</summary>
    public static string PathOf(string name) => Built[name];

    private static Dictionary<string, string> Built { get; } =
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "examples.txt")).ToDictionary(path => Path.GetFileNameWithoutExtension(path));

    private static string DotnetPath => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    /// <summary>Runs an example that must succeed.</summary>
    /// <returns>The lines it printed.</returns>
    public static string[] Run(string name, params string[] arguments)
    {
        var run = TryRun(name, arguments);
        Assert.True(run.ExitCode == 0, $"{name} ended with exit code {run.ExitCode}:\n{run.Output}\n{run.Errors}");
        return run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    /// <summary>Runs an example in a folder that holds nothing of it.</summary>
    public static ProgramRun TryRun(string name, params string[] arguments) => Start(Path.GetTempPath(), [Built[name], .. arguments]);

    /// <summary>Starts an example that the test will end. What it writes to standard error is not kept.</summary>
    public static Process Begin(string name, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(DotnetPath, [Built[name], .. arguments]) { WorkingDirectory = Path.GetTempPath(), RedirectStandardOutput = true })!;

    /// <summary>Runs the dotnet command in a folder.</summary>
    public static ProgramRun RunDotnet(string folder, params string[] arguments) => Start(folder, arguments);

    /// <summary>The numbers of the one line that a pattern matches: one for each group.</summary>
    public static double[] Numbers(string[] lines, string pattern)
    {
        var matches = lines.Select(line => Regex.Match(line, pattern)).Where(match => match.Success).ToArray();
        Assert.True(matches.Length == 1, $"{matches.Length} lines match '{pattern}', not one, of:\n{string.Join('\n', lines)}");
        return [.. matches[0].Groups.Values.Skip(1).Select(group => double.Parse(group.Value, CultureInfo.InvariantCulture))];
    }

    private static ProgramRun Start(string folder, string[] arguments)
    {
        var start = new ProcessStartInfo(DotnetPath, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // A build within a test run must not inherit what the outer one was told.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);

        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience);
        using var kill = patience.Token.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.False(
            patience.IsCancellationRequested,
            $"{string.Join(' ', arguments)} was ended after {Patience.TotalSeconds} s. It had printed:\n{output}\n{errors.Result}");
        return new ProgramRun(process.ExitCode, output, errors.Result);
    }
}

/// <summary>How a program ended, and what it printed.</summary>
internal sealed record ProgramRun(int ExitCode, string Output, string Errors);
