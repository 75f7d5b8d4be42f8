using System.CommandLine;
using Dataflow.Cluster;

namespace Dataflow.Worker.Commands;

/// <summary><c>dataflow kill</c>: ends a program on a cluster.</summary>
internal static class KillCommand
{
    public static Command Create()
    {
        var application = new Argument<string>("application") { Description = "Its name, as `dataflow status` lists it." };
        var cluster = Terminal.Cluster();
        var token = Terminal.TokenFile();
        var command = new Command("kill", "Ends a program: its jobs fail, its executors end.") { application, cluster, token };
        command.SetAction((parsed, cancellation) => Terminal.GuardAsync(async () =>
        {
            var name = parsed.GetValue(application)!;
            await ClusterClient.KillAsync(
                parsed.GetValue(cluster)!, name, $"dataflow kill, by {Environment.UserName} on {Environment.MachineName}", Terminal.Read(parsed.GetValue(token)), cancellation);
            Console.WriteLine($"{name} was ended.");
            return 0;
        }));
        return command;
    }
}
