using System.CommandLine;

namespace Dataflow.Worker.Commands;

/// <summary>All that a person types.</summary>
internal static class CommandLine
{
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Dataflow: adds this machine to a cluster.");
        root.Subcommands.Add(WorkerCommand.Create());
        return root.Parse(args).InvokeAsync();
    }
}
