using System.Diagnostics;
using System.Globalization;
using Dataflow.MLlib.Tests.Cluster;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Neighbours found by executor processes, one of which is killed in the middle of a task, are bit for bit those found in this process.</summary>
public sealed class KilledNeighborsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private sealed record Item(long Id, Vector Features);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Executors_give_the_same_also_if_one_is_killed_half_way(int executors)
    {
        using var folder = new TempDirectory();
        Dictionary<string, string[]> expected;
        using (var context = DataflowContext.Local(2)) expected = Searches.ToDictionary(search => search.Name, search => search.Run(context, null));
        Assert.All(expected, answer => Assert.True(answer.Value.Length >= 60, $"{answer.Key}: {answer.Value.Length} answers."));

        await using var places = await ExecutorPlaces.StartAsync(executors);
        foreach (var (name, run) in Searches.Where(search => executors > 1 || search.Name is "exact" or "hnsw" or "nothing broadcast"))
        {
            Assert.Equal(expected[name], run(places.Context, null));
            var gate = new Gate(Path.Combine(folder.Path, name));
            var strike = Task.Run(gate.Strike);
            Assert.Equal(expected[name], run(places.Context, gate));
            Assert.True(await strike.WaitAsync(Patience), $"{name}: nobody was killed.");
        }
    }

    private static readonly (string Name, Func<DataflowContext, Gate?, string[]> Run)[] Searches =
    [
        ("exact", (context, gate) => Transformed(context, gate, NeighborAlgorithm.BruteForce)),
        ("hnsw", (context, gate) => Transformed(context, gate, NeighborAlgorithm.Hnsw)),
        ("ivf", (context, gate) => Transformed(context, gate, NeighborAlgorithm.Ivf)),
        ("rows broadcast", (context, gate) => Joined(context, gate, BroadcastSide.Rows)),
        ("queries broadcast", (context, gate) => Joined(context, gate, BroadcastSide.Queries)),
        ("nothing broadcast", (context, gate) => Joined(context, gate, BroadcastSide.Neither)),
    ];

    private static string[] Transformed(DataflowContext context, Gate? gate, NeighborAlgorithm algorithm)
    {
        var model = new NearestNeighbors { K = 3, FeaturesColumn = "Features", IdColumn = "Id", Algorithm = algorithm, CodeBytes = 3 }.Fit(Frame(context, 150, 1, null));
        var found = model.Transform(Frame(context, 60, 2, gate));
        gate?.Arm();
        return [.. found.Collect().OrderBy(row => row.Get<long>("Id")).Select(row => $"{row.Get<Vector>("neighbors")} {Bits(row.Get<Vector>("distances").ToArray())}")];
    }

    private static string[] Joined(DataflowContext context, Gate? gate, BroadcastSide side)
    {
        var join = new NearestNeighborsJoin { K = 3, FeatureColumns = ["Features"], IdColumn = "Id", Side = side };
        var found = join.Join(Frame(context, 60, 2, side == BroadcastSide.Rows ? gate : null), Frame(context, 150, 1, side == BroadcastSide.Rows ? null : gate));
        gate?.Arm();
        return [.. found.Collect().OrderBy(row => row.Get<long>("query_id")).ThenBy(row => row.Get<int>("rank"))
            .Select(row => $"{row.Get<long>("query_id")} {row.Get<int>("rank")} {row.Get<long>("id")} {Bits(row.Get<double>("distance"))}")];
    }

    private static string Bits(params double[] values) => string.Join(' ', values.Select(value => BitConverter.DoubleToInt64Bits(value).ToString("x", CultureInfo.InvariantCulture)));

    private static DataFrame Frame(DataflowContext context, int count, int seed, Gate? gate)
    {
        var values = NaiveNeighbors.Values(new Random(seed), count, 9, "clusters");
        var items = context.Parallelize(Enumerable.Range(0, count).Select(i => new Item(i, Vector.Dense(values.AsSpan(i * 9, 9)))), 6);
        if (gate is null) return items.ToDataFrame();
        var (path, middle) = (gate.Path, count / 2);
        return items.Map(item =>
        {
            if (item.Id == middle) Gate.Pass(path);
            return item;
        }).ToDataFrame();
    }

    /// <summary>Where a task waits, once armed, until its process is killed; whoever takes it over goes on.</summary>
    private sealed class Gate(string path)
    {
        public string Path { get; } = path;

        public void Arm() => File.WriteAllText(Path + ".armed", "");

        /// <summary>Kills the process of the task that waits.</summary>
        public bool Strike()
        {
            if (!SpinWait.SpinUntil(() => File.Exists(Path + ".waiting"), Patience)) return false;
            using var process = Process.GetProcessById(int.Parse(File.ReadAllText(Path + ".waiting"), CultureInfo.InvariantCulture));
            process.Kill();
            process.WaitForExit();
            File.WriteAllText(Path + ".killed", "");
            return true;
        }

        public static void Pass(string path)
        {
            if (!File.Exists(path + ".armed") || File.Exists(path + ".killed")) return;
            File.WriteAllText(path + ".number", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            File.Move(path + ".number", path + ".waiting", overwrite: true);
            SpinWait.SpinUntil(() => File.Exists(path + ".killed"), Patience);
        }
    }
}
