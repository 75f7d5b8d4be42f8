using Dataflow.Errors;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>What a task threw on an executor in another process, told by its text: the driver never makes objects of classes that an executor
/// names.</summary>
public class RemoteTaskException : DataflowException
{
    private readonly RemoteError _error;

    internal RemoteTaskException(RemoteError error)
        : base($"{error.TypeName}: {error.Message}", error.Inner?.ToException()) => _error = error;

    /// <summary>Full name of the class of the exception, such as <c>System.FormatException</c>.</summary>
    public string RemoteType => _error.TypeName;

    /// <summary>Its own message.</summary>
    public string RemoteMessage => _error.Message;

    /// <summary>Its frames on the executor, as .NET prints them.</summary>
    public override string StackTrace => _error.StackTrace;

    /// <summary>The whole of it for people, with the user's lines.</summary>
    internal string Report => _error.Report;

    internal bool SaysAll => Has(RemoteErrorTraits.SaysAll);

    internal bool HasUsersFrames => Has(RemoteErrorTraits.InUsersCode);

    internal bool IsOfFiles => Has(RemoteErrorTraits.OfFiles);

    private bool Has(RemoteErrorTraits trait) => (_error.Traits & trait) != 0;
}

/// <summary>One that would be thrown again however often the task were tried.</summary>
internal sealed class FinalRemoteTaskException(RemoteError error) : RemoteTaskException(error), IFinalError;
