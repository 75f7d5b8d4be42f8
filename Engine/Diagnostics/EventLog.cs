using System.Globalization;
using System.Text.Json;
using Dataflow.Tasks;

namespace Dataflow.Diagnostics;

/// <summary>Writes every event as one line of JSON to a file: <c>{"event":"TaskFinished","time":"...",...}</c>.</summary>
/// <remarks>Holds one line in memory. Lines are flushed when a job ends, so a crash loses at most the lines of jobs that ran.</remarks>
internal sealed class EventLog : JobListener, IDisposable
{
    private static readonly JsonWriterOptions Compact = new() { Indented = false };

    private readonly FileStream _file;
    private readonly Utf8JsonWriter _json;

    /// <param name="folder">Made if it does not exist.</param>
    /// <param name="name">Of the application.</param>
    /// <param name="time">Names the file.</param>
    public EventLog(string folder, string name, TimeProvider time)
    {
        var safe = string.Concat(name.Select(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));
        var started = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyyMMdd'T'HHmmssfff}-{Environment.ProcessId}");
        try
        {
            Directory.CreateDirectory(folder);
            _file = Create(System.IO.Path.Combine(folder, $"{safe}-{started}"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OutputException(
                $"The event log can't be written to '{folder}': {error.Message} Set DataflowOptions.EventLogFolder to a folder that can be written to, or to null.",
                folder, error);
        }
        Path = _file.Name;
        _json = new Utf8JsonWriter(_file, Compact);
    }

    /// <summary>Where it is written.</summary>
    public string Path { get; }

    public override void OnEvent(JobEvent news)
    {
        _json.Reset(_file);
        _json.WriteStartObject();
        _json.WriteString("event", news.GetType().Name);
        _json.WriteString("time", news.Time);
        Write(news);
        _json.WriteEndObject();
        _json.Flush();
        _file.WriteByte((byte)'\n');
        if (news is JobEnded) _file.Flush();
    }

    public void Dispose()
    {
        _json.Dispose();
        _file.Dispose();
    }

    // A process may make several contexts within a millisecond.
    private static FileStream Create(string name)
    {
        for (var number = 1; ; number++)
        {
            var path = number == 1 ? $"{name}.jsonl" : $"{name}-{number}.jsonl";
            try
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 64 * 1024);
            }
            catch (IOException) when (File.Exists(path))
            {
                // Taken: the next number.
            }
        }
    }

    private void Write(JobEvent news)
    {
        switch (news)
        {
            case JobStarted e:
                _json.WriteNumber("job", e.Job.Value);
                Text("callSite", e.Properties.CallSite?.ToString());
                Text("group", e.Properties.Group);
                Text("description", e.Properties.Description);
                Text("pool", e.Properties.Pool);
                _json.WriteStartArray("stages");
                foreach (var stage in e.Stages)
                {
                    _json.WriteStartObject();
                    _json.WriteNumber("stage", stage.Stage.Value);
                    _json.WriteString("rdd", stage.Rdd.ToString());
                    _json.WriteNumber("tasks", stage.Tasks);
                    _json.WriteBoolean("map", stage.IsMapStage);
                    _json.WriteBoolean("skipped", stage.IsSkipped);
                    _json.WriteEndObject();
                }
                _json.WriteEndArray();
                break;
            case JobEnded e:
                _json.WriteNumber("job", e.Job.Value);
                Milliseconds("duration", e.Duration);
                Text("failure", e.Failure);
                break;
            case StageSubmitted e:
                _json.WriteNumber("stage", e.Stage.Value);
                _json.WriteNumber("attempt", e.Attempt);
                _json.WriteNumber("tasks", e.Tasks);
                break;
            case StageCompleted e:
                _json.WriteNumber("stage", e.Stage.Value);
                _json.WriteNumber("attempt", e.Attempt);
                Text("failure", e.Failure);
                break;
            case TaskStarted e:
                Task(e.Task);
                _json.WriteNumber("executor", e.Executor.Value);
                break;
            case TaskFinished e:
                Task(e.Task);
                _json.WriteNumber("executor", e.Executor.Value);
                _json.WriteString("outcome", e.Outcome.GetType().Name);
                Text("failure", e.Outcome switch
                {
                    TaskThrew threw => $"{ExceptionText.NameOf(threw.Exception)}: {((threw.Exception as RemoteTaskException)?.RemoteMessage ?? ExceptionText.MessageOf(threw.Exception))}",
                    FetchFailed fetch => fetch.Message,
                    TaskKilled killed => killed.Reason,
                    TaskLost lost => lost.Reason,
                    _ => null,
                });
                Milliseconds("duration", e.Duration);
                Metrics(e.Metrics);
                break;
            case ExecutorJoined e:
                _json.WriteNumber("executor", e.Executor.Value);
                _json.WriteNumber("worker", e.Worker.Value);
                _json.WriteString("host", e.Host);
                _json.WriteNumber("slots", e.Slots);
                break;
            case ExecutorLeft e:
                _json.WriteNumber("executor", e.Executor.Value);
                _json.WriteString("reason", e.Reason);
                break;
            case WorkerLeft e:
                _json.WriteNumber("worker", e.Worker.Value);
                _json.WriteString("reason", e.Reason);
                break;
            case BlockChanged e:
                _json.WriteNumber("executor", e.Executor.Value);
                _json.WriteString("block", e.Update.Id.ToString());
                _json.WriteString("change", e.Update.Change.ToString());
                _json.WriteNumber("memoryBytes", e.Update.MemoryBytes);
                _json.WriteNumber("diskBytes", e.Update.DiskBytes);
                Text("problem", e.Update.Problem);
                break;
            case EventsDropped e:
                _json.WriteNumber("count", e.Count);
                break;
            case ListenerDetached e:
                _json.WriteString("listener", e.Listener.FullName);
                _json.WriteString("failure", e.Exception.Message);
                break;
        }
    }

    private void Task(TaskDescription task)
    {
        _json.WriteNumber("task", task.Id.Value);
        _json.WriteNumber("job", task.Job.Value);
        _json.WriteNumber("stage", task.Stage.Value);
        _json.WriteNumber("stageAttempt", task.StageAttempt);
        _json.WriteNumber("partition", task.Partition);
        _json.WriteNumber("attempt", task.Attempt);
        if (task.Speculative) _json.WriteBoolean("speculative", true);
    }

    private void Metrics(TaskMetrics metrics)
    {
        _json.WriteStartObject("metrics");
        Milliseconds("run", metrics.RunTime);
        Milliseconds("gcPause", metrics.GcPauseTime);
        _json.WriteNumber("inputBytes", metrics.InputBytes);
        _json.WriteNumber("inputRecords", metrics.InputRecords);
        _json.WriteNumber("outputBytes", metrics.OutputBytes);
        _json.WriteNumber("outputRecords", metrics.OutputRecords);
        _json.WriteNumber("shuffleReadBytes", metrics.ShuffleReadBytes);
        _json.WriteNumber("shuffleReadRecords", metrics.ShuffleReadRecords);
        Milliseconds("fetchWait", metrics.FetchWaitTime);
        _json.WriteNumber("shuffleWriteBytes", metrics.ShuffleWriteBytes);
        _json.WriteNumber("shuffleWriteRecords", metrics.ShuffleWriteRecords);
        _json.WriteNumber("spilledBytes", metrics.SpilledBytes);
        _json.WriteNumber("peakMemoryBytes", metrics.PeakMemoryBytes);
        _json.WriteNumber("resultBytes", metrics.ResultBytes);
        _json.WriteEndObject();
    }

    private void Text(string name, string? value)
    {
        if (value is not null) _json.WriteString(name, value);
    }

    private void Milliseconds(string name, TimeSpan value) => _json.WriteNumber(name + "Ms", Math.Round(value.TotalMilliseconds, 3));
}
