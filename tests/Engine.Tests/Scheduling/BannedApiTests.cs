using System.Text.RegularExpressions;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>
/// The scheduler and the cluster take time, randomness and threads from outside, so that a simulator can supply its own. Whatever asks the
/// system behind its back is found here.
/// </summary>
public sealed partial class BannedApiTests
{
    private static readonly string[] Folders = ["Scheduling", "TaskScheduling", "Jobs", "Tracking", "Cluster"];

    // Leaves: where threads come from.
    private static readonly string[] MayMakeThreads = ["ThreadDispatcher.cs", "LocalSlot.cs"];

    [Fact]
    public void Nothing_asks_the_clock_the_dice_or_the_system_for_threads()
    {
        var found = new List<string>();
        foreach (var file in Sources())
        {
            var lines = File.ReadAllLines(file);
            for (var i = 0; i < lines.Length; i++)
            {
                if (Offence(lines[i], Path.GetFileName(file)) is { } offence) found.Add($"{Path.GetFileName(file)}:{i + 1}: {offence}");
            }
        }
        Assert.Empty(found);
    }

    [Fact]
    public void Every_folder_is_looked_at() => Assert.True(Sources().Count > 20, $"only {Sources().Count} files were found");

    [Theory]
    [InlineData("await Task.Run(() => 1);")]
    [InlineData("await Task.Delay(10);")]
    [InlineData("var now = DateTime.UtcNow;")]
    [InlineData("var now = DateTimeOffset.Now;")]
    [InlineData("new Thread(Run).Start();")]
    [InlineData("Thread.Sleep(1);")]
    [InlineData("Random.Shared.Next();")]
    [InlineData("var random = new Random();")]
    [InlineData("Stopwatch.GetTimestamp()")]
    [InlineData("Stopwatch.StartNew()")]
    [InlineData("Environment.TickCount64")]
    [InlineData("new System.Threading.Timer(x)")]
    [InlineData("using var timer = new PeriodicTimer(x);")]
    [InlineData("ThreadPool.QueueUserWorkItem(x)")]
    [InlineData("using var limit = new CancellationTokenSource(timeout);")]
    [InlineData("private readonly TimeProvider _time = TimeProvider.System;")]
    [InlineData("source.CancelAfter(10)")]
    [InlineData("Guid.NewGuid()")]
    public void Each_kind_is_recognised(string line) => Assert.NotNull(Offence(line, "SomeFile.cs"));

    [Theory]
    [InlineData("// Task.Run would hide it.")]
    [InlineData("var random = new Random(seed);")]
    [InlineData("_time.GetTimestamp()")]
    [InlineData("Thread.CurrentThread")]
    [InlineData("using var timer = new PeriodicTimer(interval, _time);")]
    [InlineData("using var limit = new CancellationTokenSource(timeout, _time);")]
    [InlineData("public TimeProvider Time { get; init; } = TimeProvider.System;")]
    public void What_is_harmless_passes(string line) => Assert.Null(Offence(line, "SomeFile.cs"));

    private static string? Offence(string line, string file)
    {
        // The default of an option is where the clock comes in from outside.
        var code = line.Split("//")[0].Replace("{ get; init; } = TimeProvider.System", "", StringComparison.Ordinal);
        var match = Banned().Match(code);
        if (!match.Success) return null;
        if (match.Value == "new Thread(" && MayMakeThreads.Contains(file)) return null;
        return match.Value == "ThreadPool." && file == "PoolDispatcher.cs" ? null : match.Value;
    }

    private static List<string> Sources()
    {
        var engine = Path.Combine(Root(), "Engine");
        return [.. Folders.Select(folder => Path.Combine(engine, folder)).Where(Directory.Exists).SelectMany(folder => Directory.GetFiles(folder, "*.cs"))];
    }

    // The compiler records paths as the build maps them, so the sources are found from where the tests run.
    private static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Dataflow.sln"))) return folder;
        }
        throw new InvalidOperationException($"No Dataflow.sln above {AppContext.BaseDirectory}.");
    }

    [GeneratedRegex(
        @"\bTask\.(Run|Delay)\b|\bTask\.Factory\b|\bDateTime(Offset)?\.(Now|UtcNow|Today)\b|\bnew Thread\(|\bThread\.Sleep\b|\bRandom\.Shared\b|\bnew Random\(\)|\bStopwatch\b"
        + @"|\bEnvironment\.TickCount|\bnew (System\.Threading\.)?Timer\(|\bnew PeriodicTimer\([^,]*\)[;)]|\bThreadPool\.|\bCancelAfter\b|\bGuid\.NewGuid\b|\bTimeProvider\.System\b|\bnew CancellationTokenSource\([^),]+\)")]
    private static partial Regex Banned();
}
