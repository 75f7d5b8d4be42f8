#:property PublishAot=false
#:project ../Streaming/Dataflow.Streaming.csproj
// A stream in one file: dotnet run examples/clicks.cs
using Dataflow;
using Dataflow.Sql;
using Dataflow.Streaming;
using static Dataflow.Sql.Functions;

var folder = Directory.CreateTempSubdirectory("clicks-").FullName;
await using var context = DataflowContext.Local();

// Files that come into a folder; who clicks a minute late still counts.
var perMinute = context.ReadStream.Json<Click>(folder)
    .WithWatermark("At", TimeSpan.FromMinutes(1))
    .GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Page"))
    .Agg(Count().As("Clicks"));

await using var query = perMinute.WriteStream.Start(new ConsoleSink(), new() { OutputMode = OutputMode.Update });
for (var minute = 0; minute < 3; minute++)
{
    var start = new DateTimeOffset(2026, 1, 5, 12, minute, 0, TimeSpan.Zero);
    var clicks = Enumerable.Range(0, 60).Select(second => $$"""{"At": "{{start.AddSeconds(second):O}}", "Page": "{{(second % (minute + 2) == 0 ? "/" : "/search")}}"}""");
    await File.WriteAllLinesAsync(Path.Combine(folder, ".coming"), clicks);
    File.Move(Path.Combine(folder, ".coming"), Path.Combine(folder, $"{minute}.json"));
    await query.ProcessAllAvailableAsync();
}
Console.WriteLine($"{query.LastProgress!.StateRows} counts may still change; final is what ended before {query.LastProgress.Watermark:HH:mm:ss}");
await query.StopAsync();
Directory.Delete(folder, recursive: true);

internal sealed record Click(DateTimeOffset At, string Page);
