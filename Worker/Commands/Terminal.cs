using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Dataflow.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dataflow.Worker.Commands;

/// <summary>What several commands take and do.</summary>
internal static class Terminal
{
    /// <summary>The port of a standing cluster.</summary>
    public const string DefaultCluster = "dataflow://127.0.0.1:7077";

    public static Option<FileInfo?> TokenFile() =>
        new("--token-file") { Description = "File with the cluster's token (else the variable DATAFLOW_TOKEN)." };

    public static Option<string> Cluster() => new("--cluster")
    {
        Description = "The coordinator, such as dataflow://host:7077.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("DATAFLOW_CLUSTER") is { Length: > 0 } url ? url : DefaultCluster,
    };

    /// <summary>The text of a token file, or null if none was named.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    public static string? Read(FileInfo? tokenFile)
    {
        if (tokenFile is null) return null;
        return tokenFile.Exists
            ? File.ReadAllText(tokenFile.FullName).Trim()
            : throw new FileNotFoundException($"There is no token file {tokenFile.FullName}: make one with `openssl rand -hex 32 > {tokenFile.Name}`, and give the same to coordinator, workers and programs.");
    }

    /// <summary>One line an event, on standard error: standard output is for answers.</summary>
    public static ILoggerFactory Loggers() => LoggerFactory.Create(logging => logging
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
        })
        .Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace));

    /// <summary>Runs a command; what it can't do is told in a sentence, without a stack trace.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception error) when (error is ClusterException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            // The name of a parameter of ours says nothing to who typed a command.
            await Console.Error.WriteLineAsync(error is ArgumentException { ParamName: { } name } ? error.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : error.Message);
            return 1;
        }
    }

    /// <summary>A time in seconds.</summary>
    /// <param name="name">Of the option.</param>
    /// <param name="description">Says the default too: the library would write it as hours, minutes and seconds.</param>
    public static Option<TimeSpan?> Seconds(string name, string description) => new(name) { Description = description, CustomParser = ParseSeconds };

    private static TimeSpan? ParseSeconds(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value.TrimEnd('s') : "";
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= 86_400 * 7) return TimeSpan.FromSeconds(seconds);
        result.AddError($"'{text}' is no time; write a number of seconds, such as 30.");
        return null;
    }
}
