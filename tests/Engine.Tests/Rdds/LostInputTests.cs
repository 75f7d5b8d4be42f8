namespace Dataflow.Engine.Tests.Rdds;

/// <summary>Rows that can't be read are written again or the task fails: they are never missing from an answer.</summary>
public sealed class LostInputTests : IDisposable
{
    private const int Rows = 20_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("dataflow-test-").FullName;
    private readonly DataflowContext _context;

    public LostInputTests() => _context = DataflowContext.Local(DataflowOptions.Default with
    {
        Threads = 2,
        TempFolder = _folder,
        SegmentsInMemory = false,
        ResubmitDelay = TimeSpan.Zero,
    });

    public void Dispose()
    {
        _context.Dispose();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_lambda_that_catches_everything_cannot_hide_a_damaged_map_output(bool cached)
    {
        var counted = Shuffled().MapPartitions(static pairs => CountWhatComes(pairs));
        if (cached) counted.Cache();
        Damage("shuffle*");
        Assert.Equal(Rows, counted.Sum());
        Assert.Equal(Rows, counted.Sum());
    }

    [Fact]
    public void A_lambda_that_catches_everything_cannot_hide_a_damaged_map_output_from_the_next_shuffle()
    {
        var again = Shuffled().MapPartitions(static pairs => CountWhatComes(pairs)).Map(static count => (1, count)).ReduceByKey(static (a, b) => a + b);
        Damage("shuffle*");
        Assert.Equal([(1, Rows)], again.Collect());
    }

    [Fact]
    public void A_lambda_that_catches_everything_cannot_hide_a_damaged_cached_partition()
    {
        var kept = _context.Range(0, 200_000, partitions: 2).Map(static i => $"row {i}").Persist(StorageLevel.DiskOnly);
        Assert.Equal(200_000, kept.Count());
        Damage("cache*");
        Assert.Equal(200_000, kept.MapPartitions(static rows => CountWhatComes(rows)).Sum());
    }

    [Fact]
    public void Map_outputs_whose_files_are_gone_are_written_again()
    {
        var pairs = Shuffled();
        foreach (var file in Files("shuffle*")) File.Delete(file);
        Assert.Equal(Rows, pairs.Count());
    }

    [Fact]
    public void A_temporary_folder_that_somebody_deleted_is_made_again_with_what_was_in_it()
    {
        var pairs = Shuffled();
        Directory.Delete(_folder, recursive: true);
        Assert.Equal(Rows, pairs.Count());
    }

    private Rdd<(long Key, string Value)> Shuffled()
    {
        var pairs = _context.Range(0, Rows, partitions: 6).Map(static i => (Key: i % 1000, Value: $"row {i}")).PartitionBy(new HashPartitioner<long>(3));
        Wait(_context.RunMapStageAsync((ShuffleDependency)pairs.Dependencies[0]));
        return pairs;
    }

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    private string[] Files(string pattern)
    {
        var files = Directory.GetFiles(_folder, pattern, SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        return files;
    }

    private void Damage(string pattern)
    {
        foreach (var path in Files(pattern))
        {
            // The last byte: what comes first is given before the damage is met.
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            file.Position = file.Length - 1;
            var last = file.ReadByte();
            file.Position = file.Length - 1;
            file.WriteByte((byte)~last);
        }
    }

    private static IEnumerable<int> CountWhatComes<T>(IEnumerable<T> rows)
    {
        var count = 0;
        try
        {
            foreach (var _ in rows) count++;
        }
        catch
        {
            // As careless programs do.
        }
        return [count];
    }
}
