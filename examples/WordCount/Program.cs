// Counts words. Usage: WordCount [PATH...]     a PATH is a file, a folder or a glob; the default is the project's own documents.
using Dataflow;

var data = Path.Combine(AppContext.BaseDirectory, "data");
var path = args.Length > 0 ? string.Join(',', args) : Path.Combine(data, "text", "**");

using var context = DataflowContext.Local();

var stopWords = context.Broadcast(File.ReadLines(Path.Combine(data, "stop-words.txt")).ToHashSet());
var blankLines = context.Counter("blank lines");

var counts = context.TextFile(path, minPartitions: 16)
    .FlatMap(line =>
    {
        if (string.IsNullOrWhiteSpace(line)) blankLines.Add(1);
        return line.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
    })
    .Filter(word => !stopWords.Value.Contains(word))
    .Map(word => (word, 1))
    .ReduceByKey((a, b) => a + b, partitions: 8)
    .Cache();

foreach (var (word, count) in counts.Top(10, by: pair => pair.Value))
    Console.WriteLine($"{count,8:N0}  {word}");
Console.WriteLine($"{counts.Count():N0} distinct words, {blankLines.Value:N0} blank lines");
