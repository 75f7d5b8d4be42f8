namespace Dataflow.Cluster.Tests;

/// <summary>Map outputs are files of the worker: they outlive the executor that wrote them, and what happens to one costs its map task only.</summary>
public sealed class MapOutputTests
{
    private const int Maps = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Executors_that_are_killed_leave_their_map_outputs()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var (words, maps, expected) = await BeginAsync(context);

        one.KillExecutors();
        two.KillExecutors();
        Assert.Equal(expected, Answer(words));
        Assert.Equal(0, await maps.OfNextJobAsync());
    }

    [Fact]
    public async Task Map_outputs_of_a_worker_that_is_killed_are_written_again()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var (words, maps, expected) = await BeginAsync(context);
        var lost = one.MapFiles().Count;
        Assert.Equal(Maps, lost + two.MapFiles().Count);

        // As if its machine were gone: readers on the same one would find the files, or have them open.
        one.Kill();
        foreach (var file in one.MapFiles()) File.Delete(file);
        two.KillExecutors();
        Assert.Equal(expected, Answer(words));
        Assert.Equal(lost, await maps.OfNextJobAsync());
    }

    [Fact]
    public async Task Map_outputs_of_a_worker_of_the_same_machine_are_read_from_its_files()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var (words, maps, expected) = await BeginAsync(context);
        Assert.NotEmpty(one.MapFiles());

        // A worker that stands still serves nothing.
        one.Stop();
        one.KillExecutors();
        Assert.Equal(expected, Answer(words));
        Assert.Equal(0, await maps.OfNextJobAsync());
        one.Continue();
    }

    [Theory]
    [InlineData("a byte is flipped")]
    [InlineData("the index is damaged")]
    [InlineData("it is cut short")]
    [InlineData("it is deleted")]
    public async Task A_file_that_is_damaged_costs_one_map_task(string damage)
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        using var reader = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var (words, maps, expected) = await BeginAsync(context);

        // What an executor has in memory as well would hide it.
        worker.KillExecutors();
        reader.KillExecutors();
        var path = worker.MapFiles().Concat(reader.MapFiles()).First();
        using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete))
        {
            switch (damage)
            {
                case "a byte is flipped": Flip(file, 20); break;
                case "the index is damaged": Flip(file, file.Length - 60); break;
                case "it is cut short": file.SetLength(file.Length / 2); break;
                case "it is deleted": File.Delete(path); break;
            }
        }
        Assert.Equal(expected, Answer(words));

        // A worker that has read the index before knows it, and a file that it has open is there until it closes it.
        var isSeen = damage is "a byte is flipped" or "it is cut short";
        Assert.InRange(await maps.OfNextJobAsync(), isSeen ? 1 : 0, 1);
    }

    [Fact]
    public async Task Files_go_with_their_shuffle_and_with_the_application()
    {
        var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        await using (context)
        {
            using var worker = new WorkerProcess(context.Cluster.Url.ToString());
            await context.Cluster.WaitForWorkersAsync(1, Patience);
            var (words, _, _) = await BeginAsync(context);
            Assert.Equal(Maps, worker.MapFiles().Count);
            GC.KeepAlive(words);
            await context.DisposeAsync();
            Assert.Equal(0, await worker.ExitAsync());
            Assert.Empty(worker.MapFiles());
        }
    }

    private static async Task<(Rdd<(string, int)> Words, MapTasks Maps, int Expected)> BeginAsync(DataflowContext context)
    {
        var maps = new MapTasks();
        context.AddListener(maps);
        var words = context.Range(0, 60_000, partitions: Maps).Map(i => ($"word {i % 997}", 1)).ReduceByKey((a, b) => a + b, partitions: 4);
        var expected = Answer(words);
        Assert.Equal(60_000 + 997, expected);
        Assert.Equal(Maps, await maps.OfNextJobAsync());
        return (words, maps, expected);
    }

    private static void Flip(FileStream file, long at)
    {
        file.Position = at;
        var value = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(value ^ 1));
    }

    private static int Answer(Rdd<(string Word, int Count)> words) => words.Map(word => word.Count + 1).Reduce((a, b) => a + b);
}
