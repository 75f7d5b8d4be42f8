using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>Sorts of records of 100 bytes, file to file, against GNU sort; both in processes of their own.</summary>
internal static class SortBenchmarks
{
    public static IEnumerable<Benchmark> All { get; } =
    [
        new("sort 10M records in memory", session => Sort(session, 10_000_000, 0, "8G", 0.8, 0.4)),
        new("sort 4 GB in 1 GB", session => Sort(session, 40_000_000, 1L << 30, "1G", 1.2, 0.7)),
    ];

    /// <summary>Sorts one file into a folder: input, output, temporary folder, most memory in bytes or 0.</summary>
    public static int Child(string[] arguments)
    {
        var memory = long.Parse(arguments[3], CultureInfo.InvariantCulture);
        using var context = DataflowContext.Local(new DataflowOptions
        {
            Threads = Session.Cores,
            Progress = false,
            TempFolder = arguments[2],
            MemoryBytes = memory == 0 ? null : memory,
        });
        context.FixedRecords<Record>(arguments[0]).SortBy(static record => record.Key).SaveAsRecords(arguments[1]);
        Console.WriteLine(0);
        return 0;
    }

    private static IEnumerable<Measurement> Sort(Session session, int full, long memory, string peerMemory, double must, double goal)
    {
        var folder = Directory.CreateTempSubdirectory("dataflow-benchmark-");
        try
        {
            string At(string name) => Path.Combine(folder.FullName, name);
            var temp = Directory.CreateDirectory(At("temp")).FullName;
            var count = session.Size(full);
            using (var context = Session.Context(Session.Cores))
                context.Range(0, count, partitions: 1).Map(static number => Record.Make(number)).SaveAsRecords(At("input"));
            var input = Directory.GetFiles(At("input"), "part-*").Single();

            List<double> ours = [], peer = [];
            var peak = 0L;
            for (var i = 0; i < (session.Quick || memory > 0 ? 1 : 3); i++)
            {
                if (Directory.Exists(At("ours"))) Directory.Delete(At("ours"), true);
                var run = Children.Start("sort", input, At("ours"), temp, memory.ToString(CultureInfo.InvariantCulture));
                ours.Add(run.Milliseconds);
                peak = Math.Max(peak, run.PeakBytes);
                peer.Add(GnuSort(input, At("peer"), temp, peerMemory));
            }
            // Ten characters of key make ties unlikely, so that the same bytes must come out.
            if (Hash(Directory.GetFiles(At("ours"), "part-*").Order(StringComparer.Ordinal)) != Hash([At("peer")]))
                throw new InvalidOperationException("The sorted files differ from GNU sort's.");
            var name = memory == 0 ? "sort 10M records of 100 bytes, in memory" : "sort 4 GB of records with 1 GB";
            yield return new($"{name} / GNU sort -S {peerMemory}", "ms", Session.Median(ours), Session.Median(peer), must, goal);
            if (memory > 0) yield return new($"{name}, peak private memory", "GB", peak / 1e9, null, 1.3, 1.1);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double GnuSort(string input, string output, string temp, string memory)
    {
        var start = new ProcessStartInfo("sort", ["--parallel=2", "-S", memory, "-T", temp, "-o", output, input]);
        start.Environment["LC_ALL"] = "C";
        var clock = Stopwatch.StartNew();
        try
        {
            using var process = Process.Start(start)!;
            process.WaitForExit();
            if (process.ExitCode != 0) throw new InvalidOperationException($"GNU sort ended with {process.ExitCode}.");
        }
        catch (Win32Exception)
        {
            throw new PeerMissingException("there is no GNU sort; install coreutils.");
        }
        return clock.Elapsed.TotalMilliseconds;
    }

    private static string Hash(IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        foreach (var path in files)
        {
            using var file = File.OpenRead(path);
            for (int read; (read = file.Read(buffer)) > 0;) hash.AppendData(buffer, 0, read);
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
