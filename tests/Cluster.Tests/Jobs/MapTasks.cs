using System.Threading.Channels;
using Dataflow.Diagnostics;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Cluster.Tests;

/// <summary>Counts the tasks that wrote a map output, job by job.</summary>
internal sealed class MapTasks : JobListener
{
    private readonly Channel<int> _jobs = Channel.CreateUnbounded<int>();
    private readonly HashSet<StageId> _mapStages = [];
    private int _ended;

    public override void OnJobStarted(JobStarted news) => _mapStages.UnionWith(news.Stages.Where(stage => stage.IsMapStage).Select(stage => stage.Stage));

    public override void OnTaskFinished(TaskFinished news)
    {
        if (_mapStages.Contains(news.Task.Stage) && news.Outcome is TaskSucceeded) _ended++;
    }

    public override void OnJobEnded(JobEnded news)
    {
        _jobs.Writer.TryWrite(_ended);
        _ended = 0;
    }

    /// <summary>How many ended well in the next job that was not asked about yet.</summary>
    public async Task<int> OfNextJobAsync() => await _jobs.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));
}
