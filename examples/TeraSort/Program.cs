// Makes records of 100 bytes, sorts them by their first ten and checks the result; more than memory holds, if asked.
using System.Diagnostics;
using Dataflow;
using Dataflow.Examples;

var arguments = new Arguments(args, """
    Usage: TeraSort [--records N] [--memory BYTES] [--input PATH] [--output DIR] [--partitions N] [--work DIR] [--seed N]

      --records      how many records to make (300000)
      --memory       most memory that the process may take, such as 1g (three quarters of the machine's)
      --input        records to sort instead of made-up ones: a file, folder or glob
      --output       where the sorted records are to stay; without it they are removed after the check
      --partitions   into how many files they are sorted (as many as the input has parts)
      --work         where temporary files go, on a disk with room for three times the records (the system's temporary folder)
      --seed         where the made-up records start (1)
    """);
var records = arguments.Number("--records", 300_000);
var seed = arguments.Number("--seed", 1);

var work = Path.Combine(arguments.Text("--work") ?? Path.GetTempPath(), $"terasort-{Environment.ProcessId}");
var output = arguments.Text("--output") ?? Path.Combine(work, "output");
var options = DataflowOptions.Default with { MemoryBytes = arguments.Bytes("--memory"), TempFolder = Path.Combine(work, "temp") };
var clock = Stopwatch.StartNew();
try
{
    using var context = DataflowContext.Local(options);

    if (arguments.Text("--input") is not { } input)
    {
        input = Path.Combine(work, "input");
        var parts = int.Max(context.DefaultParallelism, (int)((long)records * Record.Length >> 26));
        context.Range(0, records, partitions: parts).Map(number => Record.Make(seed, number)).SaveAsRecords(input);
        Report("make", records);
    }

    var before = Summarise(context.FixedRecords<Record>(input));
    Report("read", before.Count);

    context.FixedRecords<Record>(input)
        .SortBy(record => record.Key, partitions: arguments.Number("--partitions", 0))
        .SaveAsRecords(output);
    Report("sort", before.Count);

    var after = Summarise(context.FixedRecords<Record>(output));
    Report("check", after.Count);

    var isRight = after.IsSorted && (after.Count, after.Checksum) == (before.Count, before.Checksum);
    Console.WriteLine(isRight
        ? $"OK: {after.Count:N0} records sorted, checksum {after.Checksum:X16} before and after"
        : $"WRONG: {before} became {after}");
    return isRight ? 0 : 1;
}
finally
{
    if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
}

// Parts merge in the order of the files, so the summary knows of the borders between them too.
static Summary Summarise(Rdd<Record> records) =>
    records.Aggregate(Summary.Empty, (run, record) => run.Add(record), (run, next) => run.Then(next));

void Report(string step, long count)
{
    var (seconds, rate) = (clock.Elapsed.TotalSeconds, count / clock.Elapsed.TotalSeconds);
    Console.WriteLine($"{step,-6} {seconds,7:F2} s {rate,14:N0} records/s {rate * Record.Length / 1e6,9:N1} MB/s");
    clock.Restart();
}
