// Counts the words of text files: the project's own documents, unless others are named.
using Dataflow;
using Dataflow.Examples;

var data = Path.Combine(AppContext.BaseDirectory, "data");
var arguments = new Arguments(args, """
    Usage: WordCount [TEXT...]

      TEXT    files, folders or globs; without any, the project's own documents
    """);
var books = arguments.Paths ?? Path.Combine(data, "text", "**");

using var context = DataflowContext.Local();

var stopWords = context.Broadcast(File.ReadLines(Path.Combine(data, "stop-words.txt")).ToHashSet());
var blankLines = context.Counter("blank lines");

var counts = context.TextFile(books, minPartitions: 16)
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
