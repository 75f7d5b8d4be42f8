using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Storage;

/// <summary>Tasks of no job, for what only needs to know whose memory it takes.</summary>
internal static class LoneTask
{
    // One for all tests, as in a process: tasks take from it only what they ask for.
    private static readonly ExecutorServices Services = new(default, default, DataflowOptions.Default);

    public static TaskContext New(int id = 0) => new(new TaskDescription(new TaskId(id), new JobId(0), new StageId(0), 0, 0, 0), Services);
}
