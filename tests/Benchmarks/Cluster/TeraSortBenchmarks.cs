using System.Security.Cryptography;
using Dataflow.Benchmarks.Rdds;
using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>Sorts of records of 100 bytes, file to file, on executors that are processes of this machine.</summary>
internal static class TeraSortBenchmarks
{
    private const int Records = 10_000_000;

    public static IEnumerable<Benchmark> All { get; } =
    [
        new("terasort on a cluster", Undisturbed),
        new("terasort while an executor is killed", Disturbed),
    ];

    private static IEnumerable<Measurement> Undisturbed(Session session)
    {
        using var files = new Files(session);
        using var cluster = new LocalExecutors(2, cores: 1);
        using var local = Session.Context(Session.Cores);
        var (ours, peer) = session.Duel(() => files.Sort(cluster.Context, "ours"), () => files.Sort(local, "peer"), repetitions: 3);
        if (files.Hash("ours") != files.Hash("peer")) throw new InvalidOperationException("The cluster sorted into other files than one process.");
        yield return new("TeraSort 10M records, 2 executors x 1 slot / in one process", "ms", ours, peer, 1.4, 1.15);
    }

    private static IEnumerable<Measurement> Disturbed(Session session)
    {
        using var files = new Files(session);
        using var cluster = new LocalExecutors(3, cores: 1);
        files.Sort(cluster.Context, "undisturbed");
        List<double> undisturbed = [], disturbed = [];
        for (var i = 0; i < (session.Quick ? 1 : 3); i++)
        {
            Session.Time(() => files.Sort(cluster.Context, "undisturbed"), out var milliseconds);
            undisturbed.Add(milliseconds);
            using var victim = cluster.AnyExecutor();
            Session.Time(() =>
            {
                var sorting = Task.Run(() => files.Sort(cluster.Context, "disturbed"));
                if (sorting.Wait(TimeSpan.FromMilliseconds(milliseconds / 2))) throw new InvalidOperationException("The job was over before its executor was killed.");
                victim.Kill();
                return sorting.GetAwaiter().GetResult();
            }, out milliseconds);
            disturbed.Add(milliseconds);
            if (files.Hash("undisturbed") != files.Hash("disturbed")) throw new InvalidOperationException("A killed executor changed the sorted files.");

            // The worker has started another one.
            cluster.WaitForAll();
        }
        yield return new("TeraSort 10M records, one of three executors killed half way / undisturbed", "ms",
            Session.Median(disturbed), Session.Median(undisturbed), 1.6, 1.3);
    }

    /// <summary>The records to sort, and folders that take them.</summary>
    private sealed class Files : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dataflow-benchmark-");

        public Files(Session session)
        {
            using var context = Session.Context(Session.Cores);
            context.Range(0, session.Size(Records), partitions: 8).Map(static number => Record.Make(number)).SaveAsRecords(At("input"));
        }

        /// <summary>Sorts into a folder, which is emptied before.</summary>
        /// <returns>How many bytes lie there.</returns>
        public long Sort(DataflowContext context, string output)
        {
            if (Directory.Exists(At(output))) Directory.Delete(At(output), recursive: true);
            context.FixedRecords<Record>(At("input")).SortBy(static record => record.Key, partitions: 8).SaveAsRecords(At(output));
            return Parts(output).Sum(path => new FileInfo(path).Length);
        }

        public string Hash(string output)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var path in Parts(output)) hash.AppendData(File.ReadAllBytes(path));
            return Convert.ToHexString(hash.GetHashAndReset());
        }

        public void Dispose() => _folder.Delete(recursive: true);

        private IEnumerable<string> Parts(string output) => Directory.EnumerateFiles(At(output), "part-*").Order(StringComparer.Ordinal);

        private string At(string name) => Path.Combine(_folder.FullName, name);
    }
}
