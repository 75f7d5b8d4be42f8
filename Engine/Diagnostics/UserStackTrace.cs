using System.Diagnostics;
using System.Reflection;
using System.Text;
using Dataflow.Serialization;

namespace Dataflow.Diagnostics;

/// <summary>Tells an exception the way its reader needs it: what went wrong, then the frames of the user's own code, ours and .NET's folded away.</summary>
/// <remarks>
/// <code>
/// FormatException: The input string 'n/a' was not in a correct format.
///   lambda in Program.Main at Program.cs:13, in Int32.Parse
///   (and 14 more of Dataflow and .NET)
/// </code>
/// When none of the frames is the user's, the mistake may be ours, and all are shown; an error of Dataflow's own kinds explains itself, and
/// shows none of ours. Opens PDBs: for messages, not for hot paths.
/// </remarks>
internal static class UserStackTrace
{
    private const int MaxFrames = 20;

    /// <summary>The exception's text; the exceptions it wraps follow, each after <c>caused by</c>.</summary>
    public static string Fold(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var text = new StringBuilder();
        Append(text, exception, "");
        return text.ToString();
    }

    /// <summary>Whether the exception is one of Dataflow's own kinds: its message says what to do next.</summary>
    public static bool SaysAll(Exception exception) =>
        exception is RemoteTaskException remote ? remote.SaysAll : CodeOrigin.IsOurs(Unwrap(exception).GetType().Assembly);

    /// <summary>Whether the user's code was running when the exception, or one that it wraps, was thrown.</summary>
    public static bool HasUsersFrames(Exception exception)
    {
        if (exception is RemoteTaskException remote)
            return remote.HasUsersFrames;
        for (var at = exception; at is not null; at = at.InnerException)
        {
            if (Array.Exists(FramesOf(at), IsUsers))
                return true;
        }

        return false;
    }

    private static void Append(StringBuilder text, Exception exception, string how, bool fold = false)
    {
        exception = Unwrap(exception);
        fold |= SaysAll(exception);
        if (text.Length > 0)
            text.Append('\n');
        if (exception is RemoteTaskException { Report.Length: > 0 } remote)
        {
            // Told where it was thrown, with what caused it: its frames are not of this process.
            text.Append(how).Append(remote.Report);
            return;
        }
        text.Append(how).Append(TypeNames.Short(exception.GetType())).Append(": ").Append(ExceptionText.MessageOf(exception));
        AppendFrames(text, FramesOf(exception), fold);

        if (exception is AggregateException many)
        {
            foreach (var inner in many.InnerExceptions)
                Append(text, inner, "caused by ", fold);
        }
        else if (exception.InnerException is { } inner)
        {
            Append(text, inner, "caused by ", fold);
        }
    }

    // Without the wrappers that say nothing themselves.
    private static Exception Unwrap(Exception exception)
    {
        if (exception is AggregateException { InnerExceptions: [var only] })
            exception = only;
        return exception is TargetInvocationException { InnerException: { } invoked } ? invoked : exception;
    }

    private static StackFrame[] FramesOf(Exception exception) => new StackTrace(exception, fNeedFileInfo: false).GetFrames();

    private static void AppendFrames(StringBuilder text, StackFrame[] frames, bool fold)
    {
        var ofUser = fold || Array.Exists(frames, IsUsers);
        int shown = 0, folded = 0;
        for (var i = 0; i < frames.Length; i++)
        {
            if (frames[i].GetMethod() is not { } method || (ofUser && !IsUsers(frames[i])) || shown == MaxFrames)
            {
                folded++;
                continue;
            }

            text.Append("\n  ").Append(MemberName.Describe(method));
            if (SourceLine.Of(method, frames[i].GetILOffset()) is { File: not null } line)
                text.Append(" at ").Append(line);

            // What the user's innermost frame called says more than where inside .NET the throw is.
            if (ofUser && shown == 0 && i > 0 && frames[i - 1].GetMethod() is { } called)
                text.Append(", in ").Append(MemberName.Describe(called));
            shown++;
        }

        if (folded > 0)
            text.Append(shown == 0 ? $"\n  ({folded} frames of Dataflow and .NET)" : $"\n  (and {folded} more{(shown < MaxFrames ? " of Dataflow and .NET" : "")})");
    }

    private static bool IsUsers(StackFrame frame) => frame.GetMethod() is { } method && CodeOrigin.IsUsers(method);
}
