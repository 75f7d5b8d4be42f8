namespace Dataflow.Cluster;

/// <summary>One end of a link that carries control messages in order. Behind it is a WebSocket, or memory in tests and simulation.</summary>
internal interface IControlChannel : IAsyncDisposable
{
    /// <summary>Who is at the other end, for logs: an address, never a secret.</summary>
    string Peer { get; }

    /// <summary>Begins to deliver. Messages that came before are kept until then. Called once.</summary>
    void Start(IControlHandler handler);

    /// <summary>Queues a message; several leave in one frame. Never blocks, never throws for a lost link; any thread.</summary>
    /// <returns>False if the link has ended or is closing: the message is dropped.</returns>
    bool Send(ControlMessage message);

    /// <summary>Sends what is queued, says goodbye, and ends the link. Completes when it has ended. Safe to call twice.</summary>
    /// <param name="reason">For the other end's log; at most some 100 characters of it travel.</param>
    ValueTask CloseAsync(string reason);

    /// <summary>Encrypts a secret so that only the other end of this link can read it (AES-256-GCM, key from the link's handshake).</summary>
    byte[] Seal(ReadOnlySpan<byte> secret);

    /// <summary>Decrypts what the other end sealed.</summary>
    /// <exception cref="ClusterException">It was not sealed for this link, or was changed.</exception>
    byte[] Unseal(ReadOnlySpan<byte> sealedSecret);
}

/// <summary>Takes what a link delivers: one call at a time.</summary>
internal interface IControlHandler
{
    /// <summary>Messages of one frame, in order. While it runs no more is read: hand the work on.</summary>
    void Received(IReadOnlyList<ControlMessage> messages);

    /// <summary>The link ended, for whatever reason. Called exactly once, as the last call.</summary>
    void Ended(LinkEnd end);
}

/// <summary>Why a link ended.</summary>
internal enum LinkEndKind
{
    /// <summary>This end closed it.</summary>
    ClosedHere,

    /// <summary>The other end said goodbye.</summary>
    ClosedThere,

    /// <summary>The connection broke, or went silent.</summary>
    Lost,

    /// <summary>The other end sent what this version does not understand, or too much of it.</summary>
    Violation,
}

/// <summary>How a link ended.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Reason">For people.</param>
/// <param name="Error">What was thrown, if anything.</param>
internal sealed record LinkEnd(LinkEndKind Kind, string Reason, Exception? Error = null);
