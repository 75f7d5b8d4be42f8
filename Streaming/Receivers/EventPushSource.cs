using System.Net;
using System.Security.Cryptography;
using System.Text;
using Dataflow.Sql.Records;
using Dataflow.Streaming.Receivers;

namespace Dataflow.Streaming;

/// <summary>
/// Events that others push over HTTP, in the form of Flume's HTTP source: <c>POST</c> of <c>[{"headers": {"host": "a"}, "body": "text"}, ...]</c> in UTF-8. It answers 200 when all of them are kept in the
/// query's checkpoint, and only then; 503, with <c>Retry-After</c>, when too much waits to be read; 400 for anything else than such a list; 401 without the token.
/// </summary>
/// <remarks>
/// <para>It listens from the query's start to its end; one query reads it at a time. Columns are <c>headers</c> (JSON), <c>body</c> and <c>timestamp</c> (when it came).</para>
/// <para>What was answered with 200 is read exactly once, whatever ends the process. A sender that got no answer sends again, as Flume's do, and its events may then come twice: number them
/// where that matters. The events of one request are kept together or not at all.</para>
/// </remarks>
public sealed class EventPushSource : IStreamSource
{
    private readonly EventPushOptions _options;
    private readonly ReceivedFormat _format;
    private int _open;
    private Uri? _url;

    /// <summary>Makes it. It does not listen yet.</summary>
    /// <param name="options">Address, port and token; null for a free port of this machine's loopback address.</param>
    /// <exception cref="ArgumentException">It would listen to other machines without a token.</exception>
    public EventPushSource(EventPushOptions? options = null)
        : this(options, new TextFormat(("headers", ReceivedPart.Headers), ("body", ReceivedPart.Body), ("timestamp", ReceivedPart.Time))) { }

    private EventPushSource(EventPushOptions? options, ReceivedFormat format)
    {
        (_options, _format) = (options ?? new(), format);
        if (!IPAddress.IsLoopback(_options.Address) && _options.Token is null)
            throw new ArgumentException($"Listening on {_options.Address} lets other machines in, and no Token was given: anyone who reaches the port could add events. Give one, or listen on 127.0.0.1.", nameof(options));
    }

    /// <summary>Events whose bodies are JSON objects, whose fields are the columns.</summary>
    /// <typeparam name="T">A record or class whose properties are the columns.</typeparam>
    /// <param name="options">As for <see cref="EventPushSource(EventPushOptions?)"/>.</param>
    /// <param name="timeZone">The zone of timestamps that name none.</param>
    public static EventPushSource Json<T>(EventPushOptions? options = null, string timeZone = "UTC") =>
        new(options, new JsonFormat("pushed events", RecordShape<T>.Find().Schema, timeZone, ReceivedPart.Body));

    /// <inheritdoc/>
    public string Name => $"events pushed to {_url?.Authority ?? (_options.Port == 0 ? $"a free port of {_options.Address}" : $"{_options.Address}:{_options.Port}")}";

    /// <inheritdoc/>
    public Schema Schema => _format.Schema;

    /// <summary>Where it listens, with the port that was free if none was named.</summary>
    /// <exception cref="InvalidOperationException">No query has read it yet.</exception>
    public Uri Url => _url ?? throw new InvalidOperationException("It listens from the start of a query on: start one first.");

    /// <inheritdoc/>
    /// <exception cref="StreamingException">The port is taken, or another query reads it.</exception>
    public IStreamReader Open(string folder)
    {
        if (Interlocked.Exchange(ref _open, 1) != 0)
            throw new StreamingException("STREAM_IN_USE", $"Another query reads {Name}, and each event would come to one of the two only. Make a source for each.");
        var receiver = new EventPushReceiver(_options, () => Volatile.Write(ref _open, 0));
        ReceiverReader? reader = null;
        try
        {
            reader = new ReceiverReader(Name, folder, _options.Receiver, _format, receiver);
            _url = reader.Start(receiver.ListenAsync);
            reader.Begin();
            return reader;
        }
        catch
        {
            if (reader is null) receiver.Release();
            else reader.Dispose();
            throw;
        }
    }
}

/// <summary>Where pushed events are taken in.</summary>
public sealed record EventPushOptions
{
    /// <summary>The address to listen on; any but a loopback address needs a <see cref="Token"/>.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 for a free one, which <see cref="EventPushSource.Url"/> then tells.</summary>
    public int Port { get; init => field = value is >= 0 and <= 65535 ? value : throw new ArgumentOutOfRangeException(nameof(Port), value, "From 0 to 65535."); }

    /// <summary>What senders must give as <c>Authorization: Bearer</c>; null lets everybody in who reaches the port.</summary>
    public string? Token { get; init => field = value is null || value.Length > 0 ? value : throw new ArgumentException("A token is not empty.", nameof(Token)); }

    /// <summary>Longest request, in bytes.</summary>
    public long MaxRequestBytes { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxRequestBytes), value, "1 byte or more."); } = 64 << 20;

    /// <summary>How events are kept until batches have read them.</summary>
    public ReceiverOptions Receiver { get; init; } = new();

    // Takes as long whatever was given.
    internal bool Admits(string? authorization) => Token is null || (authorization?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true
        && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(authorization["Bearer ".Length..].Trim())), SHA256.HashData(Encoding.UTF8.GetBytes(Token))));
}
