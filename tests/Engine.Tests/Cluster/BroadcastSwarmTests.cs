using Dataflow.Cluster;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>How the pieces of a value spread, without a network: fetches that are granted end in random order.</summary>
public sealed class BroadcastSwarmTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 13)]
    [InlineData(40, 1)]
    [InlineData(1000, 13)]
    public void A_value_leaves_the_driver_once_however_many_executors_want_it(int executors, int pieces)
    {
        var run = new Run(executors, pieces, seed: 5, failures: 0, losses: 0);
        Assert.Equal(executors, run.Complete);
        Assert.Equal(pieces, run.Swarm.LeftDriver);
        Assert.True(run.MostUploads <= BroadcastSwarm.MostFromPeer);
    }

    [Theory]
    [InlineData(1)]
    public void A_thousand_executors_of_which_many_are_lost_take_a_value_a_few_times_from_the_driver(int seed)
    {
        var run = new Run(1000, 13, seed, failures: 0.02, losses: 0.2);
        Assert.True(run.Complete == run.Alive, $"seed {seed}: {run.Complete} of {run.Alive} executors have the value");
        Assert.True(run.Swarm.LeftDriver <= 10 * 13, $"seed {seed}: {run.Swarm.LeftDriver} pieces left the driver");
    }

    [Fact]
    public void Small_swarms_of_which_some_are_lost_never_stall()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var run = new Run(1 + (seed % 9), 1 + (seed % 5), seed, failures: 0.2, losses: 0.4);
            Assert.True(run.Complete == run.Alive, $"seed {seed}: {run.Complete} of {run.Alive} executors have the value");
        }
    }

    [Fact]
    public void Who_comes_late_fetches_from_others()
    {
        var run = new Run(5, 3, seed: 1, failures: 0, losses: 0);
        var before = run.Swarm.LeftDriver;
        var grant = Assert.Single(run.Swarm.Want(99));
        Assert.NotNull(grant.Source);
        Assert.Equal(before, run.Swarm.LeftDriver);
    }

    /// <summary>All want the value at once; whoever may fetch does, in an order of the seed's.</summary>
    private sealed class Run
    {
        public Run(int executors, int pieces, int seed, double failures, double losses)
        {
            Swarm = new BroadcastSwarm(pieces);
            var random = new Random(seed);
            var alive = Enumerable.Range(0, executors).ToHashSet();
            var has = Enumerable.Range(0, executors).ToDictionary(static executor => executor, _ => new HashSet<int>());
            var fetching = new List<PieceGrant>();
            for (var executor = 0; executor < executors; executor++) fetching.AddRange(Swarm.Want(executor));
            var steps = 0;
            while (fetching.Count > 0)
            {
                if (++steps % 100 == 1) MostUploads = Math.Max(MostUploads, fetching.Where(static grant => grant.Source is not null).CountBy(static grant => grant.Source!.Value).Select(static source => source.Value).DefaultIfEmpty().Max());
                var at = random.Next(fetching.Count);
                var grant = fetching[at];
                fetching[at] = fetching[^1];
                fetching.RemoveAt(fetching.Count - 1);
                if (!alive.Contains(grant.Executor)) continue;
                if (random.NextDouble() < losses / pieces)
                {
                    alive.Remove(grant.Executor);
                    fetching.AddRange(Swarm.Lost(grant.Executor));
                    continue;
                }
                var whole = (grant.Source is not { } source || alive.Contains(source)) && random.NextDouble() >= failures;
                Assert.False(has[grant.Executor].Contains(grant.Piece), $"seed {seed}: {grant} fetched twice");
                if (whole) Assert.True(grant.Source is not { } from || has[from].Contains(grant.Piece), $"seed {seed}: {grant}");
                if (whole) has[grant.Executor].Add(grant.Piece);
                fetching.AddRange(Swarm.Got(grant.Executor, grant.Piece, whole));
                fetching.AddRange(Swarm.Want(grant.Executor));
            }
            Alive = alive.Count;
            Complete = alive.Count(executor => has[executor].Count == pieces);
        }

        public BroadcastSwarm Swarm { get; }

        public int Alive { get; }

        public int Complete { get; }

        public int MostUploads { get; }
    }
}
