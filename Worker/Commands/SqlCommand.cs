using System.CommandLine;
using System.CommandLine.Parsing;
using Dataflow.Worker.Shell;

namespace Dataflow.Worker.Commands;

/// <summary><c>dataflow sql</c>: a shell for SQL, and scripts of it.</summary>
internal static class SqlCommand
{
    public static Command Create()
    {
        var execute = new Option<string[]>("-e", "--execute") { Description = "Statements to run, with semicolons between them. May be given several times." };
        var file = new Option<FileInfo[]>("-f", "--file") { Description = "A file of statements to run, before those of -e. May be given several times." };
        var output = new Option<OutputFormat>("--output")
        {
            Description = "How rows are written: table, csv, json, or jsonl (an object for each statement).",
            DefaultValueFactory = _ => OutputFormat.Table,
            CustomParser = FormatOf,
        };
        var goOn = new Option<bool>("--continue-on-error") { Description = "Goes on with the next statement after an error. The exit code is 1 all the same." };
        var timing = new Option<bool>("--timing") { Description = "Says after each statement how long it took." };
        var threads = new Option<int>("--threads") { Description = "How many tasks run at once; all processors if not given." };
        var command = new Command("sql", "Runs SQL in this process: statements of -e and -f, a script from standard input, or what is typed at a terminal.") { execute, file, output, goOn, timing, threads };
        command.SetAction((parsed, cancellation) => Terminal.GuardAsync(() => Task.Run(
            () =>
            {
                using var context = DataflowContext.Local(parsed.GetValue(threads));
                var runner = new StatementRunner(context, new ResultPrinter(parsed.GetValue(output), Console.Out)) { GoesOn = parsed.GetValue(goOn), ShowsTime = parsed.GetValue(timing) };
                var files = parsed.GetValue(file) ?? [];
                var texts = parsed.GetValue(execute) ?? [];
                foreach (var each in files)
                {
                    using var reader = each.OpenText();
                    if (!runner.RunScript(reader, cancellation)) return 1;
                }
                foreach (var text in texts)
                {
                    using var reader = new StringReader(text);
                    if (!runner.RunScript(reader, cancellation)) return 1;
                }
                if (files.Length + texts.Length > 0) return runner.HasFailed ? 1 : 0;
                if (Console.IsInputRedirected) runner.RunScript(Console.In, cancellation);
                else new SqlShell(runner).Run(cancellation);
                return runner.HasFailed && Console.IsInputRedirected ? 1 : 0;
            },
            cancellation)));
        return command;
    }

    private static OutputFormat FormatOf(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        var name = Enum.GetNames<OutputFormat>().FirstOrDefault(each => each.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (name is not null) return Enum.Parse<OutputFormat>(name);
        result.AddError($"'{text}' is no format of --output: give table, csv, json or jsonl.");
        return default;
    }
}
