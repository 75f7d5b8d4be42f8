// Revenue by nation: a query over Parquet and CSV files, refined by the program, with its rows as records.
using Dataflow;
using Dataflow.Examples;
using Dataflow.Sql;
using static Dataflow.Sql.Functions;

var data = Path.Combine(AppContext.BaseDirectory, "data");
var arguments = new Arguments(args, """
    Usage: SqlReport [--orders PATH] [--customers PATH]

      --orders     Parquet files: id, customer_id, total, placed_on
      --customers  a CSV file with a header: id, name, nation
    """);

using var context = DataflowContext.Local();
context.Read.Parquet(arguments.Text("--orders") ?? Path.Combine(data, "orders")).CreateTempView("orders");
context.Read.Csv(arguments.Text("--customers") ?? Path.Combine(data, "customers.csv"), new CsvOptions { HasHeader = true }).CreateTempView("customers");

var since = new DateOnly(1998, 1, 1);
var revenue = context.Sql($"""
    SELECT   c.nation, COUNT(*) AS orders, SUM(o.total) AS revenue
    FROM     orders o JOIN customers c ON o.customer_id = c.id
    WHERE    o.placed_on >= {since}
    GROUP BY c.nation
    ORDER BY revenue DESC
    """);

revenue.Explain();                                   // logical, optimized and physical plan with its stages
revenue.Where(Col("orders") >= 100).Limit(20).Show();
foreach (var row in revenue.Collect<NationRevenue>())
    Console.WriteLine($"{row.Nation}: {row.Revenue:N2}");

internal sealed record NationRevenue(string Nation, long Orders, decimal Revenue);
