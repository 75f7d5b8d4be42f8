using System.Collections.Concurrent;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Simulation;

/// <summary>A file system that all machines of a run see: where tasks make their output final.</summary>
internal sealed class SharedStorage
{
    private static readonly ConcurrentDictionary<long, SharedStorage> Runs = new();
    private static long _next;

    private readonly Dictionary<(int Output, int Partition), List<(TaskId Task, string Text)>> _commits = [];

    /// <summary>The number by which tasks find it.</summary>
    public long Run { get; } = Interlocked.Increment(ref _next);

    /// <summary>Whether an attempt came to nothing, so that another may write anew.</summary>
    public Func<TaskId, bool> IsGivenUp { get; init; } = static _ => false;

    /// <summary>What was written twice by attempts that both counted; null if nothing was.</summary>
    public string? WrittenTwice { get; private set; }

    public static SharedStorage Of(long run) => Runs[run];

    public void Open() => Runs[Run] = this;

    public void Close() => Runs.TryRemove(Run, out _);

    /// <summary>Writes a partition of an output, as the task of this thread, if its driver lets it.</summary>
    public static int Commit(long run, int output, IEnumerable<(int, long)> rows)
    {
        var context = TaskContext.Current!;
        var text = string.Join(' ', rows);
        if (!context.Services.Commits!.MayCommit(context.Description))
            throw new CommitDeniedException(context.Description);
        var storage = Of(run);
        lock (storage) storage.Write(output, context.PartitionIndex, context.Description.Id, text);
        Probe.Step();
        return text.Length;
    }

    /// <summary>All of an output.</summary>
    public string Read(int output)
    {
        lock (this)
            return string.Join('|', _commits.Where(pair => pair.Key.Output == output).OrderBy(pair => pair.Key.Partition).Select(pair => $"{pair.Key.Partition}: {pair.Value[^1].Text}"));
    }

    private void Write(int output, int partition, TaskId task, string text)
    {
        if (!_commits.TryGetValue((output, partition), out var commits)) _commits[(output, partition)] = commits = [];
        foreach (var earlier in commits)
        {
            if (earlier.Task != task && !IsGivenUp(earlier.Task) && !IsGivenUp(task))
                WrittenTwice ??= $"partition {partition} of output {output} was committed by task {earlier.Task} and by task {task}";
        }
        commits.Add((task, text));
    }
}
