using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>An executor that is about to leave: nothing new starts there, what runs may end, and then it is let go.</summary>
public sealed class DrainingTests
{
    [Fact]
    public void A_draining_executor_gets_no_new_tasks_and_is_let_go_when_its_last_one_ends()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 4);
        Assert.Equal(["0.0 on e1", "0.1 on e1"], run.News);
        run.DrainExecutor("e1");
        Assert.Empty(run.News);
        run.Succeed("0.0");
        Assert.DoesNotContain("e1 is drained", run.News);
        run.AddExecutor("e2", slots: 1);
        Assert.Equal(["0.2 on e2"], run.News);
        run.Succeed("0.1");
        Assert.Contains("e1 is drained", run.News);
        run.Succeed("0.2");
        Assert.Contains("0.3 on e2", run.News);
    }

    [Fact]
    public void An_idle_executor_is_let_go_at_once_and_only_once()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.DrainExecutor("e1");
        Assert.Equal(["e1 is drained"], run.News);
        run.DrainExecutor("e1");
        run.Start(tasks: 1);
        Assert.Empty(run.News);
    }

    [Fact]
    public void Tasks_that_outstay_the_grace_are_ended_and_run_elsewhere_without_having_failed()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 2);
        Assert.Equal(["0.0 on e1", "0.1 on e1"], run.News);
        run.DrainExecutor("e1", grace: TimeSpan.FromSeconds(30));
        run.AddExecutor("e2");
        run.Pass(TimeSpan.FromSeconds(10));
        run.Succeed("0.0");
        Assert.DoesNotContain(run.News, news => news.StartsWith("kill", StringComparison.Ordinal));
        Assert.Equal(TimeSpan.FromSeconds(20), run.Tasks.NextWake - run.Now);
        run.Pass(TimeSpan.FromSeconds(20));
        Assert.Equal(["kill 0.1 on e1"], run.News.Where(news => news.StartsWith("kill", StringComparison.Ordinal)));
        Assert.Null(run.Tasks.NextWake);
    }

    [Fact]
    public void A_task_that_fails_on_a_draining_executor_is_tried_elsewhere()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        Assert.Equal(["0.0 on e1"], run.News);
        run.DrainExecutor("e1");
        run.AddExecutor("e2");
        run.Throw("0.0");
        Assert.Equal(["0.0 on e2", "e1 is drained"], run.News.Order());
    }

    [Fact]
    public void The_loss_of_a_draining_executor_is_a_loss_like_any_other()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        Assert.Equal(["0.0 on e1"], run.News);
        run.DrainExecutor("e1");
        run.LoseExecutor("e1");
        run.AddExecutor("e2");
        Assert.Equal(["0.0 on e2"], run.News);
    }

    [Fact]
    public void A_barrier_stage_is_not_placed_on_a_draining_executor()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.AddExecutor("e2", slots: 2);
        run.DrainExecutor("e1");
        run.Start(tasks: 3, barrier: true);
        Assert.Equal(["e1 is drained"], run.News);
        run.AddExecutor("e3", slots: 1);
        Assert.All(run.News, text => Assert.DoesNotContain("e1", text));
    }
}
