using System.CommandLine;
using System.Diagnostics;

namespace Dataflow.Worker.Commands;

/// <summary><c>dataflow submit</c>: runs a program on a cluster. The program says <c>DataflowContext.FromEnvironmentAsync()</c>.</summary>
internal static class SubmitCommand
{
    public static Command Create()
    {
        var program = new Argument<FileInfo>("program") { Description = "The program: app.dll, or app.cs, which is built first." };
        var arguments = new Argument<string[]>("arguments") { Description = "What the program is given; write -- before it.", Arity = ArgumentArity.ZeroOrMore };
        var cluster = Terminal.Cluster();
        var token = Terminal.TokenFile();
        var command = new Command(
            "submit",
            "Runs a program on this machine with its jobs on a cluster: sets DATAFLOW_CLUSTER and DATAFLOW_TOKEN, "
                + "which DataflowContext.FromEnvironmentAsync() follows. Ends with the program's exit code.")
        {
            program, arguments, cluster, token,
        };
        command.SetAction((parsed, _) => Terminal.GuardAsync(() => RunAsync(
            parsed.GetValue(program)!, parsed.GetValue(arguments) ?? [], parsed.GetValue(cluster)!, Terminal.Read(parsed.GetValue(token)))));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo program, string[] arguments, string cluster, string? token)
    {
        if (!program.Exists) throw new FileNotFoundException($"There is no {program.FullName}.");
        string[] run = program.Extension switch
        {
            ".dll" => ["exec", program.FullName],
            ".cs" => ["run", program.FullName, "--"],
            _ => throw new ArgumentException($"{program.Name} is no program that can be run; give an app.dll or an app.cs."),
        };
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [.. run, .. arguments]);
        start.Environment["DATAFLOW_CLUSTER"] = cluster;
        if (token is not null) start.Environment["DATAFLOW_TOKEN"] = token;

        // Ctrl+C reaches the program by itself, which is in the same group; SIGTERM does not.
        using var signals = new Signals();
        using var process = Process.Start(start) ?? throw new IOException($"{program.FullName} did not start.");
        using var forced = signals.Forced.Register(() => process.Kill(entireProcessTree: true));
        using var asked = signals.Asked.Register(() => Process.Start("kill", ["-TERM", $"{process.Id}"])?.Dispose());
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode;
    }
}
