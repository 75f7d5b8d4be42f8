using Dataflow.Scheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Tasks of a barrier stage that wait for each other: who meets, and who is told that it will not.</summary>
public sealed class BarrierMeetingTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Nobody_goes_on_before_the_last_one_comes()
    {
        var run = Gang(tasks: 3);
        run.Arrive(stage: 0, task: 2);
        run.Arrive(stage: 0, task: 0);
        Assert.Empty(run.NewActions);
        run.Arrive(stage: 0, task: 1);
        Assert.Equal(["task 0 meets:", "task 1 meets:", "task 2 meets:"], run.NewActions);
    }

    [Fact]
    public void Each_gets_what_all_brought_by_index()
    {
        var run = Gang(tasks: 3);
        foreach (var task in new[] { 1, 2, 0 }) run.Arrive(stage: 0, task, kind: MeetingKind.AllGather, message: $"from-{task}");
        Assert.All(run.NewActions, text => Assert.EndsWith("meets: from-0 from-1 from-2", text, StringComparison.Ordinal));
    }

    [Fact]
    public void They_meet_as_often_as_they_like_one_meeting_after_the_other()
    {
        var run = Gang(tasks: 2);
        for (var meeting = 0; meeting < 5; meeting++)
        {
            run.Arrive(stage: 0, task: meeting % 2, meeting, MeetingKind.AllGather, $"{meeting}");
            run.Arrive(stage: 0, task: 1 - (meeting % 2), meeting, MeetingKind.AllGather, $"{meeting}");
            Assert.Equal([$"task 0 meets: {meeting} {meeting}", $"task 1 meets: {meeting} {meeting}"], run.NewActions);
        }
    }

    [Fact]
    public void Calls_of_two_kinds_do_not_meet()
    {
        var run = Gang(tasks: 3);
        run.Arrive(stage: 0, task: 0);
        run.Arrive(stage: 0, task: 2, kind: MeetingKind.AllGather);
        const string why = "task 0 called Barrier() as its first meeting, and task 2 called AllGather() as its first. All tasks of a barrier stage must make the same calls in the same order";
        Assert.Equal([$"task 0 waits no more: {why}", $"task 2 waits no more: {why}"], run.NewActions);
        run.Arrive(stage: 0, task: 1);
        Assert.Equal([$"task 1 waits no more: {why}"], run.NewActions);
    }

    [Fact]
    public void A_task_that_ends_without_coming_ends_the_wait_of_the_others()
    {
        var run = Gang(tasks: 3);
        run.Arrive(stage: 0, task: 0);
        run.Arrive(stage: 0, task: 2);
        run.Succeed(stage: 0, task: 1);
        Assert.Equal(2, run.NewActions.Count(text => text.Contains(
            "task 1 of stage 0 ended without a first meeting, for which tasks 0, 2 waited. All tasks", StringComparison.Ordinal)));
    }

    [Fact]
    public void Whoever_comes_after_another_has_ended_is_told_at_once()
    {
        var run = Gang(tasks: 2);
        foreach (var task in new[] { 0, 1 }) run.Arrive(stage: 0, task);
        run.Succeed(stage: 0, task: 1);
        _ = run.NewActions;
        run.Arrive(stage: 0, task: 0, meeting: 1);
        Assert.StartsWith("task 0 waits no more: task 1 of stage 0 ended without a second meeting, for which task 0 waited.", Assert.Single(run.NewActions), StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_that_fails_ends_the_wait_of_the_others()
    {
        var run = Gang(tasks: 2);
        run.Arrive(stage: 0, task: 0);
        run.End(stage: 0, task: 1, new TaskLost("it crashed"));
        Assert.Contains(
            "task 0 waits no more: task 1 of barrier stage 0 lost its executor (it crashed) on attempt 1 of 4 at the stage", run.NewActions);
        Assert.Equal(run.Now + DataflowOptions.Default.ResubmitDelay, run.Dag.NextWake);
    }

    [Fact]
    public void The_wait_ends_when_the_first_of_the_waiting_has_waited_long_enough()
    {
        var run = Gang(tasks: 3);
        run.Arrive(stage: 0, task: 0, timeout: 3 * Minute);
        run.Pass(Minute);
        run.Arrive(stage: 0, task: 2, timeout: Minute);
        Assert.Equal(2 * Minute, run.Dag.NextWake);
        run.Pass(Minute - TimeSpan.FromTicks(1));
        Assert.Empty(run.NewActions);
        run.Pass(TimeSpan.FromTicks(1));
        Assert.Equal(2, run.NewActions.Count(text => text.Contains(
            "waits no more: task 1 of stage 0 did not come to the first meeting, for which tasks 0, 2 waited", StringComparison.Ordinal)));
        Assert.Null(run.Dag.NextWake);
    }

    [Fact]
    public void A_meeting_that_took_place_is_not_timed_any_more()
    {
        var run = Gang(tasks: 2);
        foreach (var task in new[] { 0, 1 }) run.Arrive(stage: 0, task, timeout: Minute);
        _ = run.NewActions;
        run.Pass(2 * Minute);
        Assert.Empty(run.NewActions);
    }

    [Fact]
    public void Asking_again_gives_the_same_answer()
    {
        var run = Gang(tasks: 2);
        run.Arrive(stage: 0, task: 0, kind: MeetingKind.AllGather, message: "a");
        run.Arrive(stage: 0, task: 0, kind: MeetingKind.AllGather, message: "a");
        run.Arrive(stage: 0, task: 1, kind: MeetingKind.AllGather, message: "b");
        Assert.Equal(["task 0 meets: a b", "task 1 meets: a b"], run.NewActions);
        run.Arrive(stage: 0, task: 1, kind: MeetingKind.AllGather, message: "b");
        Assert.Equal(["task 1 meets: a b"], run.NewActions);
    }

    [Fact]
    public void Tasks_of_two_attempts_at_a_stage_do_not_meet()
    {
        var run = Gang(tasks: 2);
        run.Arrive(stage: 0, task: 0);
        run.End(stage: 0, task: 1, new TaskThrew(new FormatException("n/a")));
        run.PassResubmitDelay();
        _ = run.NewActions;
        run.Arrive(stage: 0, task: 1);
        run.Arrive(stage: 0, task: 0, attempt: 0);
        Assert.Equal(["task 0 waits no more: this attempt at the stage is over"], run.NewActions);
        run.Arrive(stage: 0, task: 0);
        Assert.Equal(["task 0 meets:", "task 1 meets:"], run.NewActions);
    }

    [Fact]
    public void A_stage_that_nobody_knows_any_more_is_over()
    {
        var run = new SchedulerScript();
        run.Arrive(stage: 7, task: 0, attempt: 0);
        Assert.Equal(["task 0 waits no more: this attempt at the stage is over"], run.NewActions);
    }

    private static SchedulerScript Gang(int tasks)
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(tasks) { StartsTogether = true });
        _ = run.NewActions;
        return run;
    }
}
