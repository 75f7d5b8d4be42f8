// Joins orders with customers when one customer placed most of the orders, first plainly, then with the hot keys spread out.
using System.Diagnostics;
using Dataflow;
using Dataflow.Examples;

var arguments = new Arguments(args, """
    Usage: SkewedJoin [--orders N] [--customers N] [--hot PERCENT] [--partitions N]

      --orders       how many orders (1000000)
      --customers    how many customers (50000)
      --hot          how many percent of the orders are of one customer (60)
      --partitions   how many tasks join (8)
    """);
var customerCount = arguments.Number("--customers", 50_000);
var hotPercent = arguments.Number("--hot", 60);
var partitions = arguments.Number("--partitions", 8);

using var context = DataflowContext.Local();

var orders = context.Range(0, arguments.Number("--orders", 1_000_000), partitions: 8)
    .Map(id => (Customer: id % 100 < hotPercent ? 7L : id * 2_654_435_761 % customerCount, Amount: id % 997))
    .Cache();
var customers = context.Range(0, customerCount, partitions: 8)
    .Map(id => (Id: id, Country: (int)(id % 40)))
    .Cache();
Console.WriteLine($"{orders.Count():N0} orders of {customers.Count():N0} customers, {hotPercent} % of them customer 7's");

// All orders of a customer meet in one task: the one with the hot customer works while the others are long done.
var plain = Run("plain join", () => orders.Join(customers, partitions));

// A sample tells the hot keys. Each of their orders gets one of several salts, their customer is copied to all of them, and orders meet
// customers by key and salt: in several tasks. It costs a wider key, and pays as soon as there are idle cores.
var spread = Run("hot keys spread out", () =>
{
    var salts = 8 * partitions;
    var sample = orders.Keys().TakeSample(withReplacement: false, count: 10_000, seed: 1);
    var hot = context.Broadcast(sample.CountBy(key => key)
        .Where(key => key.Value > sample.Length / partitions / 4)
        .Select(key => key.Key)
        .ToHashSet());

    var saltedOrders = orders
        .Map(order => ((order.Customer, Salt: hot.Value.Contains(order.Customer) ? order.Amount % salts : 0), order.Amount));
    var saltedCustomers = customers
        .FlatMap(customer => Enumerable.Range(0, hot.Value.Contains(customer.Id) ? salts : 1)
            .Select(salt => ((Customer: customer.Id, Salt: (long)salt), customer.Country)));

    return saltedOrders.Join(saltedCustomers, partitions).Map(row => (row.Key.Customer, row.Value));
});

Console.WriteLine(plain == spread ? "Both give the same rows." : $"The joins differ: {plain} and {spread}");
return plain == spread ? 0 : 1;

// Joins, and adds up what each task joined.
(long Rows, long Sum) Run(string name, Func<Rdd<(long Customer, (long Amount, int Country) Row)>> join)
{
    var clock = Stopwatch.StartNew();
    var tasks = context.RunJob(join(), rows => rows.Aggregate(
        (Rows: 0L, Sum: 0L), (total, row) => (total.Rows + 1, total.Sum + row.Customer + row.Row.Amount * row.Row.Country)));

    var (rows, busiest) = (tasks.Sum(task => task.Rows), tasks.Max(task => task.Rows));
    var share = $"of {rows:N0} rows the busiest of {tasks.Length} tasks joins {(double)busiest / rows:P0}";
    Console.WriteLine($"{name,-20} {clock.Elapsed.TotalSeconds,5:F2} s; {share}");
    return (rows, tasks.Sum(task => task.Sum));
}
