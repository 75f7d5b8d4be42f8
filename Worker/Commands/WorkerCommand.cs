using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Dataflow.Cluster;

namespace Dataflow.Worker.Commands;

/// <summary><c>dataflow worker</c>: offers this machine to a driver program.</summary>
internal static class WorkerCommand
{
    public static Command Create()
    {
        var join = new Option<Uri>("--join")
        {
            Description = "Where the driver program or coordinator listens, such as http://host:7077.",
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
        var resource = new Option<KeyValuePair<string, IReadOnlyList<string>>[]>("--resource")
        {
            Description = "A named resource for tasks that ask for it, such as gpu=2 (addresses 0 and 1) or gpu=0,3 (these addresses). May be given several times.",
            CustomParser = ParseResources,
            AllowMultipleArgumentsPerToken = false,
        };
        var name = new Option<string?>("--name") { Description = "Name of this worker, unique in the cluster (machine and process)." };
        var token = Terminal.TokenFile();
        var drain = new Option<TimeSpan>("--drain-timeout")
        {
            Description = "Seconds that running tasks may take to end, and others to take over what is kept here, after Ctrl+C or SIGTERM; a second signal ends all at once.",
            DefaultValueFactory = _ => TimeSpan.FromSeconds(30),
            CustomParser = Terminal.ParseSeconds,
        };
        var reconnect = new Option<TimeSpan>("--reconnect-for")
        {
            Description = "Seconds that the coordinator may be away, when the worker starts and later, before it ends; its executors go on meanwhile.",
            DefaultValueFactory = _ => TimeSpan.FromSeconds(60),
            CustomParser = Terminal.ParseSeconds,
        };
        var temp = new Option<DirectoryInfo?>("--temp") { Description = "Folder for staged code, shuffles and caches (the system's temporary folder)." };
        var command = new Command("worker", "Offers this machine to a driver program or a standing cluster. Ctrl+C or SIGTERM: takes no new tasks, lets running ones end, hands over what it keeps, leaves.")
        {
            join, cores, memory, resource, name, token, temp, drain, reconnect,
        };
        command.SetAction((parsed, _) => Terminal.GuardAsync(() =>
        {
            var options = new WorkerOptions(parsed.GetValue(join)!)
            {
                Cores = parsed.GetValue(cores),
                Resources = new Dictionary<string, IReadOnlyList<string>>(parsed.GetValue(resource) ?? [], StringComparer.Ordinal),
                TempFolder = parsed.GetValue(temp)?.FullName,
                Token = Terminal.Read(parsed.GetValue(token)),
                DrainTimeout = parsed.GetValue(drain),
                ReconnectFor = parsed.GetValue(reconnect),
            };
            if (parsed.GetValue(memory) is { } bytes) options = options with { MemoryBytes = bytes };
            if (parsed.GetValue(name) is { } own) options = options with { Name = own };
            return RunAsync(options);
        }));
        return command;
    }

    private static async Task<int> RunAsync(WorkerOptions options)
    {
        using var signals = new Signals();
        using var loggers = Terminal.Loggers();
        var host = new WorkerHost(options with { LoggerFactory = loggers });
        using var asked = signals.Asked.Register(host.Drain);
        var reason = await host.RunAsync(signals.Forced);
        Console.WriteLine($"The worker ends: {reason}.");
        return 0;
    }

    private static Uri? ParseUrl(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") return url;
        if (url?.Scheme == "dataflow") return new UriBuilder("http", url.Host, url.Port < 0 ? 7077 : url.Port).Uri;
        result.AddError($"'{text}' is no address; write http://HOST:PORT, as the driver program prints it.");
        return null;
    }

    private static KeyValuePair<string, IReadOnlyList<string>>[] ParseResources(ArgumentResult result)
    {
        var resources = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var text in result.Tokens.Select(token => token.Value))
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = at > 0 ? (text[..at].Trim(), text[(at + 1)..]) : ("", "");
            var isCount = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count);
            string[] addresses = isCount && count <= 1 << 16
                ? [.. Enumerable.Range(0, count).Select(index => index.ToString(CultureInfo.InvariantCulture))]
                : isCount ? [] : value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (name.Length == 0 || addresses.Length == 0 || addresses.Distinct(StringComparer.Ordinal).Count() < addresses.Length)
                result.AddError($"'{text}' is no resource; write NAME=COUNT such as gpu=2, or NAME=ADDRESS,ADDRESS such as gpu=0,3, each address once.");
            else if (!resources.TryAdd(name, addresses))
                result.AddError($"--resource names '{name}' twice; list its addresses in one.");
        }
        return [.. resources];
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
