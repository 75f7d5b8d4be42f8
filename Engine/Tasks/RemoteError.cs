using Dataflow.Errors;
using Dataflow.Serialization;

namespace Dataflow.Tasks;

/// <summary>An exception as data, for the way from an executor to the driver.</summary>
/// <param name="TypeName">Full name of its class.</param>
/// <param name="Message">Its message.</param>
/// <param name="StackTrace">Its frames, as .NET prints them; empty if it was never thrown.</param>
/// <param name="Report">The whole of it for people: classes, messages and the user's frames, with what caused it.</param>
/// <param name="IsFinal">Whether it would be thrown again however often the task were tried.</param>
/// <param name="Inner">What caused it.</param>
internal sealed record RemoteError(string TypeName, string Message, string StackTrace, string Report, bool IsFinal, RemoteError? Inner)
{
    private const int MostInner = 16;

    public static RemoteError Of(Exception error) => Of(error, 0);

    /// <summary>The error that the driver's program meets. Of a class of ours: none that an executor names is ever made.</summary>
    public RemoteTaskException ToException() => IsFinal ? new FinalRemoteTaskException(this) : new RemoteTaskException(this);

    private static RemoteError Of(Exception error, int depth) => new(
        TypeNames.Of(error.GetType()), error.Message, error.StackTrace ?? "", depth == 0 ? UserStackTrace.Fold(error) : "", error is IFinalError,
        error.InnerException is { } inner && depth < MostInner ? Of(inner, depth + 1) : null);
}
