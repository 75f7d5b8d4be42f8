#:property PublishAot=false
#:project ../Engine/Dataflow.Engine.csproj
// A program of one file: dotnet run examples/quickstart.cs
using Dataflow;

using var context = DataflowContext.Local();

// Halve even numbers, triple odd ones and add one: how many steps until 1?
var steps = context.Range(1, 300_000)
    .Map(start =>
    {
        var count = 0;
        for (var n = start; n != 1; n = n % 2 == 0 ? n / 2 : 3 * n + 1) count++;
        return (Start: start, Steps: count);
    })
    .Cache();

foreach (var (start, count) in steps.Top(3, by: number => number.Steps))
    Console.WriteLine($"{start,7} takes {count} steps");

var averages = steps
    .Map(number => (Digits: number.Start.ToString().Length, (Sum: (long)number.Steps, Count: 1)))
    .ReduceByKey((a, b) => (a.Sum + b.Sum, a.Count + b.Count));

foreach (var (digits, (sum, count)) in averages.SortByKey().Collect())
    Console.WriteLine($"{digits} digits: {(double)sum / count,5:F1} steps on average");
