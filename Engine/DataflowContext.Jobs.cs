using System.Diagnostics;
using Dataflow.Diagnostics;
using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow;

// Running jobs, and saying what belongs together.
public sealed partial class DataflowContext
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<Rdd, byte> _toCheckpoint = new();

    // Flows with async calls and into child threads, as a program expects of "the jobs that I start now".
    private readonly AsyncLocal<JobProperties?> _properties = new();

    // No timer runs longer, and no job as long.
    private static TimeSpan LongestTimer => TimeSpan.FromDays(49);

    /// <summary>Runs a function on the elements of some partitions.</summary>
    /// <remarks>Action: what all other actions are made of.</remarks>
    /// <typeparam name="T">The element type.</typeparam>
    /// <typeparam name="TResult">Type of the result of one partition.</typeparam>
    /// <param name="rdd">Of this context.</param>
    /// <param name="function">Gets an iterator that can be read once.</param>
    /// <param name="partitions">Indices of partitions; null takes all.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    /// <returns>The results in the order of <paramref name="partitions"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A partition does not exist.</exception>
    /// <exception cref="JobFailedException">A task failed for the last time.</exception>
    public Task<TResult[]> RunJobAsync<T, TResult>(
        Rdd<T> rdd, Func<IEnumerable<T>, TResult> function, IReadOnlyList<int>? partitions = null, CancellationToken cancellationToken = default)
    {
        Own(rdd);
        Closures.ClosureGuard.Check(function, "RunJob");
        return RunJobAsync(rdd, (reader, _) => function(reader.AsEnumerable()), partitions, CallSite.Here("RunJob", function), cancellationToken);
    }

    /// <inheritdoc cref="RunJobAsync{T, TResult}(Rdd{T}, Func{IEnumerable{T}, TResult}, IReadOnlyList{int}, CancellationToken)"/>
    public TResult[] RunJob<T, TResult>(Rdd<T> rdd, Func<IEnumerable<T>, TResult> function, IReadOnlyList<int>? partitions = null) =>
        Rdd<T>.Wait(RunJobAsync(rdd, function, partitions));

    /// <summary>Runs the map stage of a shuffle by itself, or nothing if its outputs are all there, and gives their sizes.</summary>
    /// <remarks>For planners that choose how to read after they know how much there is.</remarks>
    /// <param name="dependency">Of an Rdd of this context.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<MapOutputSizes> RunMapStageAsync(ShuffleDependency dependency, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dependency);
        Own(dependency.Rdd);
        ThrowIfStopped();
        cancellationToken.ThrowIfCancellationRequested();
        var properties = PropertiesOf(CallSite.Here("RunMapStage"));
        await Lineage.PrepareAsync(dependency.Rdd, cancellationToken).ConfigureAwait(false);
        await dependency.PrepareAsync(cancellationToken).ConfigureAwait(false);
        return await _loop.SubmitMapStage(dependency, properties, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Where <c>Checkpoint</c> writes: a folder that every worker sees. Null (default) until it is set. What is written stays there when the
    /// program ends: a run reads only what it wrote itself, so it may be removed then.</summary>
    public string? CheckpointFolder
    {
        get;
        set => field = value is null ? null : Path.GetFullPath(value);
    }

    /// <summary>Puts the jobs that this thread and its async calls start from now on into a group, to be cancelled together.</summary>
    /// <param name="group">Name of the group; null for none.</param>
    /// <param name="description">A text for people.</param>
    public void SetJobGroup(string? group, string? description = null) =>
        _properties.Value = (_properties.Value ?? JobProperties.None) with { Group = group, Description = description };

    /// <summary>Describes the jobs that this thread and its async calls start from now on.</summary>
    /// <param name="description">A text for people; null for none.</param>
    public void SetJobDescription(string? description) =>
        _properties.Value = (_properties.Value ?? JobProperties.None) with { Description = description };

    /// <summary>Chooses the fair pool of the jobs that this thread and its async calls start from now on.</summary>
    /// <param name="pool">Name of the pool; null for the default one.</param>
    public void SetPool(string? pool) => _properties.Value = (_properties.Value ?? JobProperties.None) with { Pool = pool };

    /// <summary>Tags the jobs that this thread and its async calls start from now on.</summary>
    /// <param name="tag">The tag.</param>
    public void AddJobTag(string tag)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        var properties = _properties.Value ?? JobProperties.None;
        if (!properties.Tags.Contains(tag)) _properties.Value = properties with { Tags = [.. properties.Tags, tag] };
    }

    /// <summary>Removes a tag from the jobs that this thread and its async calls start from now on.</summary>
    /// <param name="tag">The tag.</param>
    public void RemoveJobTag(string tag)
    {
        if (_properties.Value is { } properties) _properties.Value = properties with { Tags = [.. properties.Tags.Where(other => other != tag)] };
    }

    /// <summary>Cancels the jobs of a group that run now.</summary>
    /// <param name="group">Name of the group.</param>
    public void CancelJobGroup(string group) => _loop.CancelGroup(group, $"the job group '{group}' was cancelled");

    /// <summary>Cancels the jobs with a tag that run now.</summary>
    /// <param name="tag">The tag.</param>
    public void CancelJobsWithTag(string tag) => _loop.CancelTag(tag, $"jobs with the tag '{tag}' were cancelled");

    /// <summary>Cancels all jobs that run now.</summary>
    public void CancelAllJobs() => _loop.CancelAll("all jobs were cancelled");

    /// <summary>Cancels the jobs that need a stage.</summary>
    /// <param name="stage">The stage, as listeners and messages name it.</param>
    public void CancelStage(StageId stage) => _loop.CancelStage(stage, $"stage {stage} was cancelled");

    /// <summary>Ends one attempt at a task; the task is tried again.</summary>
    /// <param name="task">The attempt, as listeners name it.</param>
    public void KillTaskAttempt(TaskId task) => _loop.KillAttempt(task, "the attempt was killed on request");

    internal async Task<TResult[]> RunJobAsync<T, TResult>(
        Rdd<T> rdd, Func<ChunkReader<T>, TaskContext, TResult> function, IReadOnlyList<int>? partitions, CallSite site, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        cancellationToken.ThrowIfCancellationRequested();
        using var activity = StartActivity(site);
        partitions ??= [.. Enumerable.Range(0, rdd.PartitionCount)];
        await Lineage.PrepareAsync(rdd, cancellationToken).ConfigureAwait(false);
        var results = new TResult[partitions.Count];
        var limit = new ResultBytes(Options.MaxResultBytes, site);
        await Submit(rdd, function, partitions, site, (index, value, bytes) =>
        {
            limit.Add(bytes);
            results[index] = value;
        }, cancellationToken).ConfigureAwait(false);
        if (!_toCheckpoint.IsEmpty) await CheckpointAsync(rdd, cancellationToken).ConfigureAwait(false);
        return results;
    }

    /// <summary>Whether any Rdd asks for resources or for tasks that start together: stages are searched for such wishes only then.</summary>
    internal bool HasStageWishes
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    /// <summary>Notes that an Rdd is to be written down after the next action that reads it.</summary>
    internal void WillCheckpoint(Rdd rdd) => _toCheckpoint.TryAdd(rdd, 0);

    private async Task CheckpointAsync(Rdd read, CancellationToken cancellationToken)
    {
        var asked = new List<Rdd>();
        Lineage.Visit(read, static _ => false, rdd =>
        {
            // Taken out first: writing it down is a job that comes here too.
            if (_toCheckpoint.TryRemove(rdd, out _)) asked.Add(rdd);
        });
        foreach (var rdd in asked) await rdd.CheckpointAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a job for a limited time.</summary>
    /// <returns>The results that came in time, each with its partition.</returns>
    internal async Task<IReadOnlyList<(int Partition, TResult Value)>> RunApproximateJobAsync<T, TResult>(
        Rdd<T> rdd, Func<ChunkReader<T>, TaskContext, TResult> function, TimeSpan timeout, CallSite site, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "The time that a job may take can't be negative; Timeout.InfiniteTimeSpan sets no limit.");
        using var activity = StartActivity(site);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (timeout <= LongestTimer) limited.CancelAfter(timeout);
        cancellationToken.ThrowIfCancellationRequested();
        var results = new List<(int, TResult)>();
        try
        {
            await Lineage.PrepareAsync(rdd, limited.Token).ConfigureAwait(false);
            await Submit(rdd, function, [.. Enumerable.Range(0, rdd.PartitionCount)], site, (index, value, _) =>
            {
                lock (results) results.Add((index, value));
            }, limited.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Time is up: what came so far is the answer.
        }
        lock (results) return [.. results.OrderBy(result => result.Item1)];
    }

    private Task Submit<T, TResult>(
        Rdd<T> rdd,
        Func<ChunkReader<T>, TaskContext, TResult> function,
        IReadOnlyList<int> partitions,
        CallSite site,
        Action<int, TResult, long> onResult,
        CancellationToken cancellationToken)
    {
        var request = new JobRequest(rdd, partitions, new RddFunction<T, TResult>(rdd, function).Run)
        {
            Results = ResultCodec<TResult>.Instance,
            OnResult = (index, result) =>
            {
                var sized = (SizedResult<TResult>)result!;
                onResult(index, sized.Value, sized.Bytes);
            },
            Properties = PropertiesOf(site),
        };
        return _loop.SubmitJob(request, cancellationToken);
    }

    private JobProperties PropertiesOf(CallSite site) => (_properties.Value ?? JobProperties.None) with { CallSite = site };

    private static Activity? StartActivity(CallSite site)
    {
        if (!EngineMetrics.Activities.HasListeners()) return null;
        var activity = EngineMetrics.Activities.StartActivity("dataflow.job");
        activity?.SetTag("dataflow.call_site", site.ToString());
        return activity;
    }

    /// <summary>Adds up what the tasks of one job bring to the driver.</summary>
    private sealed class ResultBytes(long limit, CallSite site)
    {
        private long _bytes;

        public void Add(long bytes)
        {
            _bytes += bytes;
            if (_bytes <= limit) return;
            throw new ResultTooLargeException(
                $"The results of {site} are larger than {limit:N0} bytes together. Write them with SaveAsText or SaveAsObjects, read them bit by bit "
                + "with ToEnumerable, take less, or raise DataflowOptions.MaxResultBytes.");
        }
    }
}
