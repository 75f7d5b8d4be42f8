using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Cluster;

/// <summary>Queries that would take hours end when they are cancelled, and leave nothing.</summary>
[Collection(ClusterCollection.Name)]
public sealed class CancellationTests(ClusterPlaces places)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Places and queries.</summary>
    public static TheoryData<Place, string, int> Long
    {
        get
        {
            var data = new TheoryData<Place, string, int>();
            foreach (var place in new[] { Place.Threads, Place.Processes })
            {
                data.Add(place, "SELECT count(*) FROM range(100000000000000) WHERE id % 7 = 100", 1);
                data.Add(place, "SELECT count(*) FROM range(3000000) a JOIN range(3000000) b ON a.id * 3 + b.id < -1", 3);
                data.Add(place, "SELECT max(n) FROM (SELECT id % 3000017 AS k, count(*) AS n FROM range(100000000000000) GROUP BY 1)", 1);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Long))]
    public async Task A_long_query_ends_when_its_token_says_so(Place place, string sql, int tasksBefore)
    {
        var context = places[place];
        var tasks = new RunningTasks();
        context.AddListener(tasks);
        try
        {
            using var cancellation = new CancellationTokenSource();
            var query = context.Sql(sql).CollectAsync(cancellation.Token);
            Assert.True(SpinWait.SpinUntil(() => tasks.Started >= tasksBefore || query.IsCompleted, Patience), "no task began");
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
            Assert.True(SpinWait.SpinUntil(() => tasks.Running == 0, Patience), $"{tasks.Running} tasks go on");
            Assert.Equal(0, tasks.Abandoned);
            Assert.Equal(10L, context.Sql("SELECT count(*) FROM range(10)").Collect()[0][0]);
            if (place == Place.Threads)
            {
                Assert.True(SpinWait.SpinUntil(() => context.Services.Shuffles.Count == 0, Patience), $"{context.Services.Shuffles.Count} map outputs are left");
            }
        }
        finally
        {
            context.RemoveListener(tasks);
        }
    }

    [Fact]
    public async Task A_slow_lambda_ends_with_its_query()
    {
        var context = places[Place.Threads];
        var slow = Functions.Udf((long id) =>
        {
            Thread.Sleep(1);
            return id + 1;
        });
        var tasks = new RunningTasks();
        context.AddListener(tasks);
        using var cancellation = new CancellationTokenSource();
        var query = context.Sql("SELECT id FROM range(10000000)").Select(slow(Functions.Col("id")).As("a")).Agg(Functions.Sum("a")).CollectAsync(cancellation.Token);
        Assert.True(SpinWait.SpinUntil(() => tasks.Running > 0, Patience));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
        Assert.True(SpinWait.SpinUntil(() => tasks.Running == 0, Patience));
        Assert.Equal(0, tasks.Abandoned);
        context.RemoveListener(tasks);
    }

    [Fact]
    public async Task A_cancelled_write_leaves_no_file()
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "out");
        var tasks = new RunningTasks();
        var context = places[Place.Threads];
        context.AddListener(tasks);
        using var cancellation = new CancellationTokenSource();
        var write = context.Sql("SELECT id, concat('text ', id) AS t FROM range(100000000000000)").Write.ParquetAsync(path, cancellationToken: cancellation.Token);
        Assert.True(SpinWait.SpinUntil(() => Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).Any(), Patience));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        Assert.True(SpinWait.SpinUntil(() => tasks.Running == 0, Patience));
        Assert.True(SpinWait.SpinUntil(() => !Directory.EnumerateFileSystemEntries(folder.Path).Any(), Patience), string.Join(", ", Directory.EnumerateFileSystemEntries(folder.Path)));
        context.RemoveListener(tasks);
    }
}

/// <summary>Counts tasks that began and have not ended.</summary>
internal sealed class RunningTasks : Diagnostics.JobListener
{
    private int _running;
    private int _abandoned;
    private int _started;

    public int Started => Volatile.Read(ref _started);

    public int Running => Volatile.Read(ref _running);

    public int Abandoned => Volatile.Read(ref _abandoned);

    public override void OnTaskStarted(Diagnostics.TaskStarted news)
    {
        Interlocked.Increment(ref _running);
        Interlocked.Increment(ref _started);
    }

    public override void OnTaskFinished(Diagnostics.TaskFinished news)
    {
        Interlocked.Decrement(ref _running);
        if (news.Outcome is Tasks.TaskThrew { Exception: TaskAbandonedException }) Interlocked.Increment(ref _abandoned);
    }
}
