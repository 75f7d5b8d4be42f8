using Dataflow.Cluster;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>How a program's files spread over workers: the real coordinator says who fetches from whom, workers are played, fetches end in random order.</summary>
public sealed class FileSpreadTests
{
    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(40, 0, 0)]
    [InlineData(200, 0, 0)]
    [InlineData(1000, 0.02, 0.05)]
    public void Fifty_megabytes_of_code_leave_the_driver_a_few_times_however_many_workers_start(int workers, double failures, double losses)
    {
        const int seed = 11;
        var run = new Run(workers, Files(50 << 20), seed, failures, losses);
        Assert.True(run.Complete == run.Alive, $"seed {seed}: {run.Complete} of {run.Alive} workers have the files");
        Assert.True(run.TimesLeftDriver <= (failures == 0 ? 1 : 10), $"seed {seed}: the files left the driver {run.TimesLeftDriver:0.##} times");
    }

    [Fact]
    public void A_worker_that_has_files_of_another_program_offers_them_to_others()
    {
        var script = new ClusterScript();
        var files = Files(9 << 20);
        script.Program("app", files: files);
        var (one, two) = (script.Worker("one"), script.Worker("two"));
        one.Say(new WantFiles("app", [.. Enumerable.Range(0, CodeBundles.Of(files).Count)]));
        Assert.Empty(one.Take<FilesAt>());
        two.Say(new WantFiles("app", []));
        Assert.Equal("http://one:1/", Assert.Single(two.Take<FilesAt>()).Source);
    }

    [Fact]
    public void Who_has_something_else_or_is_gone_is_passed_over()
    {
        var script = new ClusterScript();
        var files = Files(3 << 20);
        script.Program("app", files: files);
        var (liar, dead, wants) = (script.Worker("liar"), script.Worker("dead"), script.Worker("wants"));
        liar.Say(new WantFiles("app", [0]));
        dead.Say(new WantFiles("app", [0]));
        dead.Channel.Break("cut");
        script.Dispatcher.RunAll();
        wants.Say(new WantFiles("app", []));
        Assert.Equal("http://liar:1/", Assert.Single(wants.Take<FilesAt>()).Source);
        wants.Say(new GotFiles("app", 0, false));
        wants.Say(new WantFiles("app", []));
        Assert.Null(Assert.Single(wants.Take<FilesAt>()).Source);
    }

    [Fact]
    public void Of_a_program_that_is_not_here_nobody_has_files_but_its_driver()
    {
        var script = new ClusterScript();
        var worker = script.Worker("one");
        worker.Say(new WantFiles("nobody", []));
        Assert.Null(Assert.Single(worker.Take<FilesAt>()).Bundle);
    }

    private static CodeFile[] Files(long bytes)
    {
        // As a program with packages has them: many small assemblies, some large ones.
        var random = new Random(3);
        var files = new List<CodeFile>();
        while (bytes > 0)
        {
            var length = Math.Min(bytes, random.Next(3) == 0 ? random.Next(1 << 20, 6 << 20) : random.Next(10_000, 400_000));
            files.Add(new CodeFile($"file{files.Count}.dll", $"{files.Count:x64}", length));
            bytes -= length;
        }
        return [.. files];
    }

    /// <summary>All want the files at once; whoever may fetch does, in an order of the seed's.</summary>
    private sealed class Run
    {
        public Run(int workers, CodeFile[] files, int seed, double failures, double losses)
        {
            var script = new ClusterScript();
            var random = new Random(seed);
            var bundles = CodeBundles.Of(files);
            script.Program("app", files: files);
            var peers = Enumerable.Range(0, workers).Select(i => script.Worker($"w{i}")).ToArray();
            var has = Array.ConvertAll(peers, _ => new HashSet<int>());
            var alive = Enumerable.Repeat(true, workers).ToArray();
            var fetching = new List<(int Worker, FilesAt At)>();
            var leftDriver = 0L;
            for (var i = 0; i < workers; i++) peers[i].Say(new WantFiles("app", []));
            Look();
            while (fetching.Count > 0)
            {
                var at = random.Next(fetching.Count);
                var (worker, grant) = fetching[at];
                fetching[at] = fetching[^1];
                fetching.RemoveAt(fetching.Count - 1);
                if (!alive[worker]) continue;
                var bundle = grant.Bundle!.Value;
                if (grant.Source is null) leftDriver += bundles[bundle].Sum(file => file.Length);
                if (random.NextDouble() < losses / bundles.Count)
                {
                    alive[worker] = false;
                    peers[worker].Channel.Break("cut");
                    script.Dispatcher.RunAll();
                }
                else
                {
                    var source = grant.Source is { } url ? int.Parse(url[8..^3], System.Globalization.CultureInfo.InvariantCulture) : (int?)null;
                    if (source is { } from) Assert.True(has[from].Contains(bundle), $"seed {seed}: {grant}");
                    var whole = (source is not { } giver || alive[giver]) && random.NextDouble() >= failures;
                    if (whole) has[worker].Add(bundle);
                    peers[worker].Say(new GotFiles("app", bundle, whole));
                    peers[worker].Say(new WantFiles("app", [.. has[worker]]));
                }
                Look();
            }
            Alive = alive.Count(lives => lives);
            Complete = Enumerable.Range(0, workers).Count(i => alive[i] && has[i].Count == bundles.Count);
            TimesLeftDriver = leftDriver / (double)files.Sum(file => file.Length);

            void Look()
            {
                for (var i = 0; i < workers; i++)
                {
                    if (peers[i].HasHeard) fetching.AddRange(peers[i].Take<FilesAt>().Select(grant => (i, grant)));
                }
            }
        }

        public int Alive { get; }

        public int Complete { get; }

        public double TimesLeftDriver { get; }
    }
}
