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
    public static string? Read(FileInfo? tokenFile) => tokenFile is null ? null : File.ReadAllText(tokenFile.FullName).Trim();

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
            await Console.Error.WriteLineAsync(error.Message);
            return 1;
        }
    }

    public static TimeSpan ParseSeconds(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value.TrimEnd('s') : "";
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= 86_400 * 7) return TimeSpan.FromSeconds(seconds);
        result.AddError($"'{text}' is no time; write a number of seconds, such as 30.");
        return default;
    }
}
