// Asks several questions about one log. The first reads and parses it; the others find the parsed requests in the cache.
using System.Diagnostics;
using System.Text.RegularExpressions;
using Dataflow;
using Dataflow.Examples;

var arguments = new Arguments(args, """
    Usage: LogMining [LOG...] [--lines N] [--pattern REGEX]

      LOG         files, folders or globs of lines in the Common Log Format of web servers; without any, a log is made up
      --lines     how many lines the made-up log has (100000)
      --pattern   which paths the last question counts (^/admin)
    """);
var lines = arguments.Number("--lines", 100_000);
var pattern = new Regex(arguments.Text("--pattern") ?? "^/admin");

using var context = DataflowContext.Local();

var parsed = context.Counter("lines parsed");
var refused = context.Counter("lines that are no requests");

var log = arguments.Paths is { } paths
    ? context.TextFile(paths)
    : context.Range(0, lines, partitions: 8).Map(number => MadeUp.Line((int)number, lines));

var requests = log
    .FlatMap(line =>
    {
        parsed.Add(1);
        if (Request.TryParse(line) is { } request) return [request];
        refused.Add(1);
        return Array.Empty<Request>();
    })
    .Cache();

Ask("How many requests are there?", () => [$"{requests.Count():N0}, and {refused.Value:N0} lines that are none"]);

Ask("In which hours were there most errors?", () => requests
    .Filter(request => request.Status >= 500)
    .Map(request => (Hour: new DateTime(request.Time.Year, request.Time.Month, request.Time.Day, request.Time.Hour, 0, 0), 1))
    .ReduceByKey((a, b) => a + b)
    .Top(3, by: hour => hour.Value)
    .Select(hour => $"{hour.Key:yyyy-MM-dd HH}h  {hour.Value,7:N0} errors"));

Ask("Who asked for most?", () => requests
    .Map(request => (request.Client, (Count: 1L, request.Bytes)))
    .ReduceByKey((a, b) => (a.Count + b.Count, a.Bytes + b.Bytes))
    .Top(3, by: client => client.Value.Bytes)
    .Select(client => $"{client.Key,-15} {client.Value.Count,7:N0} requests, {client.Value.Bytes / 1e6,7:N1} MB"));

Ask($"Who asked for {pattern}?", () => requests
    .Filter(request => pattern.IsMatch(request.Path))
    .Map(request => (request.Client, request.Status))
    .CountByValue()
    .OrderByDescending(pair => pair.Value)
    .Take(3)
    .Select(pair => $"{pair.Key.Client,-15} {pair.Value,7:N0} times, answered {pair.Key.Status}"));

void Ask(string question, Func<IEnumerable<string>> answer)
{
    var before = parsed.Value;
    var clock = Stopwatch.StartNew();
    var rows = answer().ToArray();
    Console.WriteLine($"{question}  ({clock.Elapsed.TotalMilliseconds:N0} ms, {parsed.Value - before:N0} lines parsed)");
    foreach (var row in rows) Console.WriteLine($"    {row}");
}
