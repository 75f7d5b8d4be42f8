using System.Text;
using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Jobs;
using Dataflow.Scheduling;

namespace Dataflow;

/// <summary>A job failed: the message says what happened, where in the program, why, and what to do next.</summary>
/// <remarks><see cref="Exception.InnerException"/> is what the user's code threw, if that was the cause.</remarks>
public sealed class JobFailedException : DataflowException
{
    private const int MostSites = 6;

    private readonly JobFailure _failure;
    private string? _message;

    internal JobFailedException(JobId job, JobFailure failure) : base("", failure.Cause)
    {
        Job = job;
        _failure = failure;
    }

    /// <summary>The job.</summary>
    public JobId Job { get; }

    /// <summary>The stage that failed; null if no stage is to blame.</summary>
    public StageId? Stage => _failure.Stage;

    /// <summary>Index of the partition whose task failed; null if no single task is to blame.</summary>
    public int? Partition => _failure.Partition;

    /// <summary>How often the task, or else the stage, was tried; 0 if neither is to blame.</summary>
    public int Attempts => _failure.Attempts;

    /// <summary>What happened, where, why, and what to do next. Put together at first use, which looks up lines of source code.</summary>
    public override string Message => _message ??= Build();

    /// <summary>The message with the frames of this exception and of those that caused it.</summary>
    public override string ToString()
    {
        try
        {
            return base.ToString();
        }
        catch (Exception)
        {
            // What caused it is of a class of the user's that can't say what it is; the message tells what can be told.
            return $"{GetType()}: {Message}\n{StackTrace}";
        }
    }

    private string Build()
    {
        var text = new StringBuilder($"Job {Job} failed: {_failure.What}.");
        if (_failure.Where is { } rdd)
        {
            text.Append("\n  where: ").Append(Chain(rdd));
            if (_failure.ReadBy is { } reader) text.Append(", read by ").Append(reader);
        }
        if (_failure.LastRead is { } read) text.Append("\n  input: last read were ").Append(read);
        if (_failure.Cause is { } cause) text.Append("\n  cause: ").Append(UserStackTrace.Fold(cause).Replace("\n", "\n         ", StringComparison.Ordinal));
        if (_failure.Next is { } next) text.Append("\n  next:  ").Append(next);
        foreach (var abandoned in _failure.Abandoned) text.Append("\n  also:  ").Append(abandoned.Message);
        return text.ToString();
    }

    /// <summary>The verbs that the stage runs, from its source to its end.</summary>
    private static string Chain(Rdd last)
    {
        var sites = StageGraph.NarrowLineage(last).Select(rdd => rdd.ToString()).Distinct().ToList();
        var dots = sites.Count > MostSites;
        return (dots ? "..., " : "") + string.Join(", ", sites.Take(MostSites).Reverse());
    }
}
