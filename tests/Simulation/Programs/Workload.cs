using System.Globalization;
using Dataflow.Storage;

namespace Dataflow.Simulation;

/// <summary>One thing that a program does: at most one job.</summary>
/// <param name="Name">For people.</param>
/// <param name="Run">Does it, and gives its result as text.</param>
internal sealed record ProgramStep(string Name, Func<string> Run);

/// <summary>
/// What the driver programs of a run do, by its seed: small graphs of Rdds, some kept, some read by both programs, and actions on them. On every
/// context the same.
/// </summary>
internal sealed class Workload
{
    private readonly DataflowContext _context;
    private readonly Random _dice;
    private readonly long _run;
    private readonly List<Rdd<(int Key, long Value)>> _shared = [];
    private int _outputs;

    /// <param name="seed">Chooses.</param>
    /// <param name="context">Runs the jobs.</param>
    /// <param name="storage">Where outputs go.</param>
    public Workload(int seed, DataflowContext context, SharedStorage storage)
    {
        _context = context;
        _run = storage.Run;
        _dice = new Random(seed * 31 + 7);
        for (var i = _dice.Next(0, 3); i > 0; i--) _shared.Add(Keep(Grow(Source(_dice), _dice, _dice.Next(1, 3)), _dice));
        for (var i = _dice.Next(1, 3); i > 0; i--) Programs.Add([.. Steps(new Random(_dice.Next()), storage)]);
    }

    /// <summary>Each runs its steps one after the other.</summary>
    public List<ProgramStep[]> Programs { get; } = [];

    /// <summary>Every Rdd: none is collected as garbage at a time that nobody can foresee.</summary>
    public List<Rdd> Rdds { get; } = [];

    private List<ProgramStep> Steps(Random dice, SharedStorage storage)
    {
        var steps = new List<ProgramStep>();
        var rdd = Grow(_shared.Count > 0 && dice.Next(2) == 0 ? _shared[dice.Next(_shared.Count)] : Source(dice), dice, dice.Next(0, 4));
        if (dice.Next(4) == 0)
        {
            // A job of its own while the graph is made.
            Rdd<(int Key, long Value)>? numbered = null;
            var counted = rdd;
            steps.Add(new ProgramStep("zip with index", () =>
            {
                numbered = Know(counted.ZipWithIndex().Map(pair => (pair.Item.Key, pair.Item.Value + pair.Index)));
                return "";
            }));
            if (counted.Determinacy == Determinacy.Determinate) steps.Add(new ProgramStep("collect numbered", () => Text(numbered!.Collect(), numbered!)));
        }
        for (var i = dice.Next(1, 4); i > 0; i--)
        {
            rdd = Grow(rdd, dice, dice.Next(0, 3));
            steps.Add(Action(rdd, dice, storage));
        }
        return steps;
    }

    private ProgramStep Action(Rdd<(int Key, long Value)> rdd, Random dice, SharedStorage storage)
    {
        var run = _run;
        switch (dice.Next(6))
        {
            case 0:
                return new ProgramStep("count", () => rdd.Count().ToString(CultureInfo.InvariantCulture));
            case 1:
                return new ProgramStep("sum", () => rdd.Map(pair => (long)pair.Key + pair.Value).Fold(0L, (a, b) => a + b).ToString(CultureInfo.InvariantCulture));
            case 2:
                var output = _outputs++;
                return new ProgramStep("save", () =>
                {
                    var lengths = _context.RunJob(rdd, rows => SharedStorage.Commit(run, output, rows));
                    return rdd.Determinacy == Determinacy.Determinate ? $"{string.Join(' ', lengths)}: {storage.Read(output)}" : "";
                });
            case 3:
                var counter = _context.Counter("rows");
                var counted = Know(rdd.Map(pair =>
                {
                    counter.Add(1);
                    return pair;
                }));
                return new ProgramStep("collect and count", () => $"{Text(counted.Collect(), counted)} {counter.Value} rows counted");
            default:
                return new ProgramStep("collect", () => Text(rdd.Collect(), rdd));
        }

    }

    private Rdd<(int Key, long Value)> Source(Random dice)
    {
        var rows = Enumerable.Range(0, dice.Next(1, 60)).Select(_ => (dice.Next(12), (long)dice.Next(1000))).ToArray();
        return Know(_context.Parallelize(rows, dice.Next(1, 7)));
    }

    private Rdd<(int Key, long Value)> Grow(Rdd<(int Key, long Value)> rdd, Random dice, int steps)
    {
        for (; steps > 0; steps--) rdd = Know(Next(rdd, dice));
        return rdd;
    }

    private Rdd<(int Key, long Value)> Next(Rdd<(int Key, long Value)> rdd, Random dice)
    {
        switch (dice.Next(10))
        {
            case 0:
                return rdd.Map(pair =>
                {
                    Probe.Step();
                    return (pair.Key, (pair.Value * 3) + 1);
                });
            case 1:
                return rdd.Filter(pair => pair.Value % 5 != 0);
            case 2 or 3:
                return rdd.ReduceByKey((a, b) => a + b, dice.Next(1, 6));
            case 4:
                return rdd.GroupByKey(dice.Next(1, 5)).Map(group => (group.Key, group.Value.Sum(value => value ^ 21)));
            case 5:
                var other = Grow(Source(dice), dice, dice.Next(0, 2));
                return rdd.ReduceByKey((a, b) => a + b, dice.Next(1, 4)).Join(Know(other), dice.Next(1, 5)).Map(pair => (pair.Key, pair.Value.Left + pair.Value.Right));
            case 6:
                return rdd.Repartition(dice.Next(1, 6));
            case 7:
                return Keep(rdd, dice);
            case 8:
                // Which rows meet is another matter each time; that all are there is not.
                return Know(Scatter(rdd)).GroupByKey(dice.Next(1, 5)).FlatMap(group => group.Value)
                    .Map(value => ((int)(value % 7), value)).ReduceByKey((a, b) => a + b, dice.Next(1, 4));
            default:
                return rdd.Repartition(2).Barrier().MapPartitions((barrier, rows) =>
                {
                    var mine = rows.ToList();
                    barrier.Barrier();
                    var all = barrier.AllGather(mine.Count.ToString(CultureInfo.InvariantCulture)).Sum(text => int.Parse(text, CultureInfo.InvariantCulture));
                    return mine.Select(pair => (pair.Key, pair.Value + all));
                });
        }
    }

    private Rdd<(int Key, long Value)> Scatter(Rdd<(int Key, long Value)> rdd) => new MapPartitionsRdd<(int Key, long Value), (int Key, long Value)>(
        rdd, "Scatter",
        (_, reader, _) => ChunkReader<(int Key, long Value)>.From(reader.AsEnumerable().Select(pair => (Probe.Roll(5, pair.Value), pair.Value)), reader),
        determinacy: _ => Determinacy.Indeterminate);

    private Rdd<(int Key, long Value)> Keep(Rdd<(int Key, long Value)> rdd, Random dice)
    {
        if (rdd.StorageLevel.IsKept) return rdd;
        StorageLevel[] levels = [StorageLevel.MemoryOnly, StorageLevel.MemoryOnlySerialized, StorageLevel.MemoryAndDisk, StorageLevel.DiskOnly];
        return rdd.Persist(levels[dice.Next(levels.Length)]);
    }

    private Rdd<(int Key, long Value)> Know(Rdd<(int Key, long Value)> rdd)
    {
        Rdds.Add(rdd);
        return rdd;
    }

    // Rows whose order is not promised are compared without it.
    private static string Text(IEnumerable<(int Key, long Value)> rows, Rdd rdd) =>
        string.Join(' ', rdd.Determinacy == Determinacy.Determinate ? rows : rows.Order());
}
