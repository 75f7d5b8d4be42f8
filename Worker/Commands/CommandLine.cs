using System.CommandLine;
using System.CommandLine.Invocation;

namespace Dataflow.Worker.Commands;

/// <summary>All that a person types.</summary>
internal static class CommandLine
{
    /// <returns>The exit code: 0 if all went well, 1 if it failed, 2 if the cluster's answer was no.</returns>
    public static Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Dataflow: clusters of workers, and programs that run on them.")
        {
            WorkerCommand.Create(), CoordinatorCommand.Create(), SubmitCommand.Create(), StatusCommand.Create(), KillCommand.Create(),
            SqlCommand.Create(),
        };
        var tls = new Tls();
        tls.AddTo(root);
        var parsed = root.Parse(args);
        if (parsed.Action is ParseErrorAction && args.Length > 0)
        {
            // What is wrong, without all that could be right.
            foreach (var error in parsed.Errors) Console.Error.WriteLine(error.Message);
            Console.Error.WriteLine($"See: dataflow{(parsed.CommandResult.Command == root ? "" : $" {parsed.CommandResult.Command.Name}")} --help");
            return Task.FromResult(1);
        }
        tls.Apply(parsed);

        // Commands that serve end in their own way and time when they are told to (Signals).
        return parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }
}
