using System.Globalization;
using Dataflow.CrashHarness;

if (IsQuery(args)) return await Query.RunAsync(args[1], args[2], args[3], args[4], args[5]).ConfigureAwait(false);
if (args.Contains("--help"))
{
    Console.WriteLine("""
        Runs a streaming query with state and a sink in a process of its own, kills that (kill -9) again and again, at each step of a batch in turn and at random
        moments, starts it anew each time, and compares what the sink has in the end with what should be there.

          --kills N         how often it is killed (20)
          --sink file|postgres|memory
                            where rows go (file): files; a table of a PostgreSQL server that is started for it and not killed; memory, with a log of its batches
          --state aggregate|groups|join
                            what has state (aggregate): a windowed count; functions of the program for groups with timeouts, which give the same; a left join with
                            a second stream in front of the windowed count
          --executors 0|2   0: all in one process; 2: two executor processes of a cluster, which are killed as well (0)
          --seed N          of the rows and the moments (1)

        Prints kills, lost rows and doubled rows; ends with 1 if a row is lost, doubled or wrong.
        """);
    return 0;
}
var sink = Option("--sink", "file");
if (!Sinks.Kinds.Contains(sink))
{
    Console.Error.WriteLine($"There is no sink '{sink}'. Take one of {string.Join(", ", Sinks.Kinds)}.");
    return 2;
}
var state = Option("--state", "aggregate");
if (state is not ("aggregate" or "groups" or "join"))
{
    Console.Error.WriteLine($"There is no state '{state}'. Take aggregate, groups or join.");
    return 2;
}
return await new Harness(sink, state, Number("--kills", 20), Number("--executors", 0), Number("--seed", 1)).RunAsync().ConfigureAwait(false);

static bool IsQuery(string[] args) => args is ["query", _, _, _, _, _];

string Option(string name, string otherwise) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;

int Number(string name, int otherwise) => int.TryParse(Option(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture, out var number)
    ? number
    : throw new ArgumentException($"{name} takes a number.");
