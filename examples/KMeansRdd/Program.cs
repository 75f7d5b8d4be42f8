// Finds clusters of points by k-means. The points are made around known centres, so we see how well it does.
using Dataflow;
using Dataflow.Examples;

var arguments = new Arguments(args, """
    Usage: KMeansRdd [--points N] [--clusters K] [--rounds N] [--seed N]

      --points     how many points (200000)
      --clusters   around how many centres they lie, and how many are looked for (6)
      --rounds     how many rounds at most; fewer if the centres settle before (20)
      --seed       where the random numbers start (1)
    """);
var clusters = arguments.Number("--clusters", 6);
var rounds = arguments.Number("--rounds", 20);
var seed = arguments.Number("--seed", 1);

using var context = DataflowContext.Local();

// The true centres lie on a circle, ten standard deviations from their neighbours.
var truth = Enumerable.Range(0, clusters)
    .Select(i => Point.OnCircle(2.0 * i / clusters) * (5 / double.SinPi(1.0 / Math.Max(2, clusters))))
    .ToArray();

var points = context.Range(0, arguments.Number("--points", 200_000), partitions: 16)
    .MapPartitionsWithIndex((partition, ids) =>
    {
        var random = new Random(1000 * seed + partition);
        return ids.Select(id => truth[id % truth.Length] + Point.Normal(random));
    })
    .Cache();

// Start from points of a sample that lie far from each other.
var sample = points.TakeSample(withReplacement: false, count: 1000, seed);
var found = new[] { sample[0] };
while (found.Length < clusters)
    found = [.. found, sample.MaxBy(point => found.Min(point.DistanceTo))];

var moved = 1.0;
for (var round = 1; round <= rounds && moved > 1e-6; round++)
{
    // Every task reads the centres; a broadcast brings them to each process once instead of with each task.
    var centres = context.Broadcast(found);
    var sums = points
        .Map(point => (point.NearestOf(centres.Value), (Sum: point, Count: 1L)))
        .ReduceByKey((a, b) => (a.Sum + b.Sum, a.Count + b.Count))
        .CollectAsMap();
    centres.Destroy();

    var next = found.Select((centre, i) => sums.TryGetValue(i, out var near) ? near.Sum / near.Count : centre).ToArray();
    moved = next.Zip(found, (a, b) => a.DistanceTo(b)).Max();
    found = next;
    Console.WriteLine($"round {round,2}: centres moved by up to {moved:F6}");
}

var errors = new List<double>();
foreach (var centre in truth)
{
    var nearest = found[centre.NearestOf(found)];
    errors.Add(centre.DistanceTo(nearest));
    Console.WriteLine($"centre {centre}  found at {nearest}");
}
Console.WriteLine($"found {errors.Count(error => error < 0.1)} of {clusters} centres to within 0.1, the worst {errors.Max():F4} off");
