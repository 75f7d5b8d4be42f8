using System.Globalization;
using System.Text;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Diagnostics;

/// <summary>Draws one line for the stage that runs, once a job has run for half a second; the line is wiped when the job ends.</summary>
/// <remarks>Written to standard error, so that it never mixes with a program's output; not used at all when that is redirected.</remarks>
internal sealed class ConsoleProgress(TextWriter output, Func<int> width, TimeProvider time) : JobListener
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<StageId, Progress> _stages = [];
    private readonly Dictionary<JobId, long> _jobs = [];
    private long _drawn;
    private int _length;

    private sealed class Progress(StageSummary summary)
    {
        public StageSummary Summary { get; } = summary;

        public int Done { get; set; }

        public int Running { get; set; }

        public bool IsActive { get; set; }
    }

    /// <summary>The bar of this process's console, or null if there is no console to draw on.</summary>
    public static ConsoleProgress? OfConsole(TimeProvider time) =>
        Console.IsErrorRedirected ? null : new ConsoleProgress(Console.Error, static () => Math.Max(Console.WindowWidth, 40), time);

    public override void OnJobStarted(JobStarted news)
    {
        _jobs[news.Job] = time.GetTimestamp();
        foreach (var stage in news.Stages)
        {
            if (!stage.IsSkipped) _stages.TryAdd(stage.Stage, new Progress(stage));
        }
    }

    public override void OnStageSubmitted(StageSubmitted news)
    {
        if (!_stages.TryGetValue(news.Stage, out var stage)) return;
        stage.IsActive = true;
        stage.Running = 0;
        stage.Done = Math.Max(0, stage.Summary.Tasks - news.Tasks);
    }

    public override void OnTaskStarted(TaskStarted news)
    {
        if (_stages.TryGetValue(news.Task.Stage, out var stage)) stage.Running++;
    }

    public override void OnTaskFinished(TaskFinished news)
    {
        if (!_stages.TryGetValue(news.Task.Stage, out var stage)) return;
        stage.Running = Math.Max(0, stage.Running - 1);
        if (news.Outcome is TaskSucceeded) stage.Done++;
        Draw(stage);
    }

    public override void OnStageCompleted(StageCompleted news)
    {
        if (_stages.TryGetValue(news.Stage, out var stage)) stage.IsActive = false;
    }

    public override void OnJobEnded(JobEnded news)
    {
        _jobs.Remove(news.Job);
        if (_jobs.Count > 0) return;
        _stages.Clear();
        Wipe();
    }

    private void Draw(Progress stage)
    {
        if (!stage.IsActive || _jobs.Count == 0) return;
        var oldest = _jobs.Values.Min();
        if (time.GetElapsedTime(oldest) < Patience || (_drawn != 0 && time.GetElapsedTime(_drawn) < Interval)) return;
        _drawn = time.GetTimestamp();

        var total = stage.Summary.Tasks;
        var head = $"[Stage {stage.Summary.Stage}: {stage.Summary.Rdd} ";
        var tail = string.Create(CultureInfo.InvariantCulture, $" ({Math.Min(stage.Done, total)} + {stage.Running}) / {total}]");
        var room = Math.Max(8, width() - head.Length - tail.Length - 1);
        var filled = total == 0 ? room : (int)((long)room * Math.Min(stage.Done, total) / total);
        var line = new StringBuilder(head).Append('=', Math.Max(0, filled - 1)).Append(filled > 0 ? ">" : "").Append(' ', room - filled).Append(tail);
        if (line.Length >= width()) line.Length = width() - 1;
        output.Write('\r');
        output.Write(line.ToString().PadRight(_length));
        output.Flush();
        _length = line.Length;
    }

    private void Wipe()
    {
        if (_length == 0) return;
        output.Write('\r');
        output.Write(new string(' ', _length));
        output.Write('\r');
        output.Flush();
        _length = 0;
        _drawn = 0;
    }
}
