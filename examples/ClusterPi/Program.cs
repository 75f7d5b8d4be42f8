// Pi by adding up a billion strips, on workers that join: start it, and type the command that it prints in other terminals.
using Dataflow;
using Dataflow.Cluster;
using Dataflow.Examples;

var arguments = new Arguments(args, """
    Usage: ClusterPi [--listen URL] [--workers N] [--steps N] [--rounds N]

      --listen    where workers join (http://127.0.0.1:0, which takes a free port)
      --workers   how many to wait for before the first job (2)
      --steps     strips (1000000000)
      --rounds    how often to compute it: workers may come and go meanwhile (1)
    """);
var steps = arguments.Number("--steps", 1_000_000_000);

// dataflow submit names a standing cluster; without it the program listens for workers of its own.
await using var context = Environment.GetEnvironmentVariable("DATAFLOW_CLUSTER") is not null
    ? await DataflowContext.FromEnvironmentAsync()
    : await DataflowContext.ListenAsync(
        arguments.Text("--listen") ?? "http://127.0.0.1:0", new ClusterOptions { Token = Environment.GetEnvironmentVariable("DATAFLOW_TOKEN") });

context.Cluster.Changed += change => Console.WriteLine($"{change.Worker.Name} {change.Kind}");
Console.WriteLine($"Add a worker with:  {context.Cluster.JoinCommand}");
await context.Cluster.WaitForWorkersAsync(arguments.Number("--workers", 2), timeout: TimeSpan.FromMinutes(5));

for (var round = 1; round <= arguments.Number("--rounds", 1); round++)
{
    // Partial sums merge in partition order: the same digits every run, on any number of workers.
    var pi = await context.Range(0, steps, partitions: 256)
        .Map(i => (i + 0.5) / steps)
        .Map(x => 4.0 / (1.0 + x * x))
        .SumAsync() / steps;
    Console.WriteLine($"pi = {pi:F10}");
}
