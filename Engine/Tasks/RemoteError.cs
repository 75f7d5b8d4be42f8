using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Serialization;

namespace Dataflow.Tasks;

/// <summary>What is known of an exception apart from its text.</summary>
[Flags]
internal enum RemoteErrorTraits
{
    None = 0,

    /// <summary>It would be thrown again however often the task were tried.</summary>
    Final = 1,

    /// <summary>Its message says what to do next.</summary>
    SaysAll = 2,

    /// <summary>The user's code was running.</summary>
    InUsersCode = 4,

    /// <summary>A file could not be read or written.</summary>
    OfFiles = 8,
}

/// <summary>An exception as data, for the way from an executor to the driver.</summary>
/// <param name="TypeName">Full name of its class.</param>
/// <param name="Message">Its message.</param>
/// <param name="StackTrace">Its frames, as .NET prints them; empty if it was never thrown.</param>
/// <param name="Report">The whole of it for people: classes, messages and the user's frames, with what caused it; empty in an inner one.</param>
/// <param name="Traits">What else the driver asks of it.</param>
/// <param name="Inner">What caused it.</param>
/// <param name="Parts">What it is made of again, if it is an <see cref="ITravellingError"/>; else empty.</param>
internal sealed record RemoteError(
    string TypeName, string Message, string StackTrace, string Report, RemoteErrorTraits Traits, RemoteError? Inner, string?[] Parts)
{
    private const int MostInner = 16;

    public static RemoteError Of(Exception error) => Of(error, 0);

    /// <summary>The error that the driver's program meets. Of a class of ours, or of one that the program registered: none that an executor names is
    /// ever made.</summary>
    public Exception ToException()
    {
        var arrived = (Traits & RemoteErrorTraits.Final) != 0 ? new FinalRemoteTaskException(this) : new RemoteTaskException(this);
        return Parts.Length == 0 ? arrived : TravellingErrors.Make(arrived, Parts);
    }

    private static RemoteError Of(Exception error, int depth) => new(
        TypeNames.Of(error.GetType()),
        ExceptionText.MessageOf(error),
        ExceptionText.FramesOf(error),
        // Its parts are cut already, and say so.
        depth == 0 ? ExceptionText.Cut(UserStackTrace.Fold(error), 4 * ExceptionText.Most) : "",
        TraitsOf(error),
        error.InnerException is { } inner && depth < MostInner ? Of(inner, depth + 1) : null,
        error is ITravellingError travelling ? [.. travelling.Parts.Select(part => part is null ? null : ExceptionText.Cut(part))] : []);

    private static RemoteErrorTraits TraitsOf(Exception error) =>
        (error is IFinalError ? RemoteErrorTraits.Final : 0)
        | (UserStackTrace.SaysAll(error) ? RemoteErrorTraits.SaysAll : 0)
        | (UserStackTrace.HasUsersFrames(error) ? RemoteErrorTraits.InUsersCode : 0)
        | (error is IOException or UnauthorizedAccessException ? RemoteErrorTraits.OfFiles : 0);
}
