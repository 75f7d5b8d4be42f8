using System.CommandLine;
using Dataflow.Cluster;

namespace Dataflow.Worker.Commands;

/// <summary><c>dataflow coordinator</c>: a standing cluster that many programs share.</summary>
internal static class CoordinatorCommand
{
    public static Command Create()
    {
        var listen = new Option<string>("--listen")
        {
            Description = "Address to listen on; http://0.0.0.0:7077 is all addresses of the machine, which takes a token.",
            DefaultValueFactory = _ => "http://127.0.0.1:7077",
        };
        var host = new Option<string?>("--advertise")
        {
            Description = "Host name or address by which others reach it (the one that is listened on, or the machine's name).",
        };
        var grace = new Option<TimeSpan>("--share-grace")
        {
            Description = "Seconds that tasks may go on whose executor is asked back for a program that has less; then they run again elsewhere (30).",
            DefaultValueFactory = _ => TimeSpan.FromSeconds(30),
            CustomParser = Terminal.ParseSeconds,
        };
        var token = Terminal.TokenFile();
        var command = new Command(
            "coordinator",
            "Keeps a cluster: workers join it, programs share them. "
                + "Ends with Ctrl+C or SIGTERM; what runs goes on, and it may be started again.")
        { listen, host, grace, token };
        command.SetAction((parsed, _) => Terminal.GuardAsync(() => RunAsync(new CoordinatorOptions(parsed.GetValue(listen)!)
        {
            Token = Terminal.Read(parsed.GetValue(token)),
            AdvertisedHost = parsed.GetValue(host),
            ShareGrace = parsed.GetValue(grace),
        })));
        return command;
    }

    private static async Task<int> RunAsync(CoordinatorOptions options)
    {
        using var signals = new Signals();
        using var loggers = Terminal.Loggers();
        await using var node = await CoordinatorNode.StartAsync(options with { LoggerFactory = loggers }, signals.Asked);
        Console.WriteLine($"The coordinator listens at {node.Url.GetLeftPart(UriPartial.Authority)}");
        Console.WriteLine($"Add a worker with:  {node.JoinCommand}");
        var ended = new TaskCompletionSource();
        using var asked = signals.Asked.Register(ended.SetResult);
        await ended.Task;
        return 0;
    }
}
