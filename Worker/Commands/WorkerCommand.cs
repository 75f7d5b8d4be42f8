using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Dataflow.Cluster;
using Microsoft.Extensions.Logging;

namespace Dataflow.Worker.Commands;

/// <summary><c>dataflow worker</c>: offers this machine to a driver program.</summary>
internal static class WorkerCommand
{
    public static Command Create()
    {
        var join = new Option<Uri>("--join")
        {
            Description = "Where the driver program listens, such as http://host:7077.",
            Required = true,
            CustomParser = ParseUrl,
        };
        var cores = new Option<int>("--cores") { Description = "Tasks that run here at once (all processors).", DefaultValueFactory = _ => Environment.ProcessorCount };
        cores.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1) result.AddError("--cores must be at least 1.");
        });
        var memory = new Option<long?>("--memory")
        {
            Description = "Memory for executors, such as 4g or 512m (three quarters of the machine's).",
            CustomParser = ParseBytes,
        };
        var name = new Option<string?>("--name") { Description = "Name of this worker, unique in the cluster (machine and process)." };
        var token = new Option<FileInfo?>("--token-file") { Description = "File with the cluster's token (else the variable DATAFLOW_TOKEN)." };
        var temp = new Option<DirectoryInfo?>("--temp") { Description = "Folder for staged code, shuffles and caches (the system's temporary folder)." };
        var command = new Command("worker", "Offers this machine to a driver program, until it ends or Ctrl+C.") { join, cores, memory, name, token, temp };
        command.SetAction((parsed, cancellation) =>
        {
            var options = new WorkerOptions(parsed.GetValue(join)!)
            {
                Cores = parsed.GetValue(cores),
                TempFolder = parsed.GetValue(temp)?.FullName,
            };
            if (parsed.GetValue(memory) is { } bytes) options = options with { MemoryBytes = bytes };
            if (parsed.GetValue(name) is { } own) options = options with { Name = own };
            return RunAsync(options, parsed.GetValue(token), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(WorkerOptions options, FileInfo? tokenFile, CancellationToken cancellation)
    {
        using var loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        }));
        try
        {
            if (tokenFile is not null) options = options with { Token = (await File.ReadAllTextAsync(tokenFile.FullName, cancellation)).Trim() };
            var reason = await new WorkerHost(options with { LoggerFactory = loggers }).RunAsync(cancellation);
            Console.WriteLine($"The worker ends: {reason}.");
            return 0;
        }
        catch (Exception error) when (error is ClusterException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 1;
        }
    }

    private static Uri? ParseUrl(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") return url;
        result.AddError($"'{text}' is no address; write http://HOST:PORT, as the driver program prints it.");
        return null;
    }

    private static long? ParseBytes(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value.ToLowerInvariant() : "";
        var shift = text.Length == 0 ? 0 : text[^1] switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        if (long.TryParse(shift > 0 ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= long.MaxValue >> shift)
            return number << shift;
        result.AddError($"'{text}' is no number of bytes; write 4g, 512m or plain bytes.");
        return null;
    }
}
