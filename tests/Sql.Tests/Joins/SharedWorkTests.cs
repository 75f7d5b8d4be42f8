using Dataflow.Sql.Joins;

namespace Dataflow.Sql.Tests.Joins;

/// <summary>Work that is done together ends once for all, well or badly.</summary>
public class SharedWorkTests
{
    [Fact]
    public async Task A_part_that_fails_fails_for_all_who_help()
    {
        var work = new SharedWork(8, part =>
        {
            if (part == 3) throw new InvalidDataException("part 3");
        });
        var helpers = Enumerable.Range(0, 4).Select(_ => Task.Run(() => work.Help(CancellationToken.None))).ToArray();
        foreach (var helper in helpers) await Assert.ThrowsAsync<InvalidDataException>(() => helper);
        Assert.Throws<InvalidDataException>(() => work.Help(CancellationToken.None));
    }

    [Fact]
    public async Task Who_is_cancelled_leaves_its_parts_to_others()
    {
        using var begun = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        using var cancellation = new CancellationTokenSource();
        var done = 0;
        var work = new SharedWork(3, _ =>
        {
            begun.Set();
            goOn.Wait();
            Interlocked.Increment(ref done);
        });
        var cancelled = Task.Run(() => work.Help(cancellation.Token));
        begun.Wait();
        cancellation.Cancel();
        goOn.Set();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        work.Help(CancellationToken.None);
        Assert.Equal(3, done);
    }
}
