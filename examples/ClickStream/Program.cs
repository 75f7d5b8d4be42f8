// Counts clicks per page and minute while they come. End it however you like, also with kill -9, and start it again: it goes on where it was.
using Dataflow;
using Dataflow.Examples;
using Dataflow.Sql;
using Dataflow.Streaming;
using static Dataflow.Sql.Functions;

var arguments = new Arguments(args, """
    Usage: ClickStream [--batches N] [--every MS] [--inbox DIR] [--checkpoint DIR] [--output DIR]

      --batches      ends after so many batches; without it, goes on until Ctrl+C
      --every        milliseconds between two batches (1000)
      --inbox        a folder that JSON files of clicks (At, Page, User) are moved into; without it, made-up ones come into CHECKPOINT/inbox
      --checkpoint   a folder that remembers how far the queries are (beside the program): who starts with it again goes on there
      --output       where counts that are final are written, as JSON files (CHECKPOINT/minutes)
    """);
var checkpoint = arguments.Text("--checkpoint") ?? Path.Combine(AppContext.BaseDirectory, "clicks");
var inbox = arguments.Text("--inbox") ?? Path.Combine(checkpoint, "inbox");
var output = arguments.Text("--output") ?? Path.Combine(checkpoint, "minutes");
var every = TimeSpan.FromMilliseconds(arguments.Number("--every", 1000));
var batches = arguments.Number("--batches", int.MaxValue);

await using var context = DataflowContext.Local();

var clicksPerPage = context.ReadStream.Json<Click>(inbox, new FileSourceOptions { MaxFilesPerTrigger = 1 })
    .WithWatermark("At", TimeSpan.FromMinutes(10))
    .GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Page"))
    .Agg(Count().As("Clicks"));

// What changes, to look at.
await using var query = clicksPerPage.WriteStream.Start(new ConsoleSink(), new()
{
    Checkpoint = Path.Combine(checkpoint, "changes"),
    Trigger = Trigger.Every(every),
    OutputMode = OutputMode.Update,
});

// Each minute once, when it is final, for others to read.
await using var final = clicksPerPage.WriteStream.Start(FileSink.Json(output), new()
{
    Checkpoint = Path.Combine(checkpoint, "final"),
    Trigger = Trigger.Every(every),
});

using var closing = new CancellationTokenSource();
var visitors = arguments.Text("--inbox") is null ? Visitors.ClickAsync(inbox, every, closing.Token) : Task.CompletedTask;

var seen = 0;
await foreach (var batch in query.ProgressAsync())
{
    Console.WriteLine($"batch {batch.BatchId}: {batch.InputRows:N0} clicks, {batch.LateRows} groups too late, {batch.StateRows} kept, final up to {batch.Watermark:t}\n");
    if (++seen == batches) break;
}

await query.StopAsync();
await closing.CancelAsync();
await visitors.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
await final.ProcessAllAvailableAsync();
Console.WriteLine($"{(Directory.Exists(output) ? context.Read.Json(output).Count() : 0):N0} pages and minutes are final, in {output}");
