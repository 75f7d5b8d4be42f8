using System.Threading.Channels;
using Dataflow.Sql.Analysis;
using Dataflow.Sql.Records;
using Dataflow.Streaming.Receivers;
using Dataflow.Streaming.Sources;

namespace Dataflow.Streaming;

/// <summary>Opens streams as frames: <c>context.ReadStream.Json&lt;Click&gt;("inbox/clicks")</c>.</summary>
public sealed class DataStreamReader
{
    private readonly SqlSession _session;

    internal DataStreamReader(SqlSession session) => _session = session;

    /// <summary>Files of JSON objects, one a line, that come into a folder.</summary>
    /// <remarks>Each file is read once, when it is first seen: move it into the folder whole. Names that begin with a dot or an underscore are not looked at.</remarks>
    /// <typeparam name="T">A record or class whose properties are the columns.</typeparam>
    /// <param name="folder">The folder; it may come later.</param>
    /// <param name="options">How many files at once; null for all that are there.</param>
    /// <param name="json">What becomes of what does not fit (<see cref="JsonOptions.Mode"/>, <see cref="JsonOptions.CorruptRecordColumn"/>); null for the defaults: fields that do not fit are null. Its schema is not
    /// looked at.</param>
    public DataFrame Json<T>(string folder, FileSourceOptions? options = null, JsonOptions? json = null) => Json(folder, RecordShape<T>.Find().Schema, options, json);

    /// <inheritdoc cref="Json{T}"/>
    /// <param name="schema">The columns.</param>
    public DataFrame Json(string folder, Schema schema, FileSourceOptions? options = null, JsonOptions? json = null)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return From(new FileStreamSource(folder, FileStreamFormat.Json((json ?? new JsonOptions()) with { Schema = schema }, _session.TimeZone), options));
    }

    /// <summary>Files of comma-separated values that come into a folder. Otherwise as <see cref="Json{T}"/>.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="csv">How they are written; must have a schema.</param>
    /// <param name="options">How many files at once; null for all that are there.</param>
    /// <exception cref="ArgumentException">There is no schema.</exception>
    public DataFrame Csv(string folder, CsvOptions csv, FileSourceOptions? options = null) => From(new FileStreamSource(folder, FileStreamFormat.Csv(csv, _session.TimeZone), options));

    /// <summary>Parquet files that come into a folder. Otherwise as <see cref="Json{T}"/>.</summary>
    /// <typeparam name="T">A record or class whose properties are the columns.</typeparam>
    /// <param name="folder">The folder; it may come later.</param>
    /// <param name="options">How many files at once; null for all that are there.</param>
    public DataFrame Parquet<T>(string folder, FileSourceOptions? options = null) => Parquet(folder, RecordShape<T>.Find().Schema, options);

    /// <inheritdoc cref="Parquet{T}"/>
    /// <param name="schema">The columns; those that a file lacks are null in it.</param>
    public DataFrame Parquet(string folder, Schema schema, FileSourceOptions? options = null) => From(new FileStreamSource(folder, FileStreamFormat.Parquet(schema), options));

    /// <summary>The lines of text files that come into a folder, as a column <c>value</c>. Otherwise as <see cref="Json{T}"/>.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">How many files at once; null for all that are there.</param>
    public DataFrame Text(string folder, FileSourceOptions? options = null) => From(new FileStreamSource(folder, FileStreamFormat.Text(), options));

    /// <summary>A table that lasts (<see cref="Warehouse"/>): the rows that it has, and all that are added to it, by inserts and by streams (<see cref="DataStreamWriter.ToTable"/>), each once.</summary>
    /// <remarks>Inserts and batches of streams appear whole, so each is read from the next batch on. A query that reads the table of another goes on behind it, whatever ends either of them. The names of all files
    /// are remembered, in memory and in the checkpoint. A table that is dropped (<c>STREAM_TABLE_DROPPED</c>), or made anew or overwritten (<c>STREAM_TABLE_REPLACED</c>), ends the query with that error: rows that were
    /// given can't be taken back.</remarks>
    /// <param name="name">Its name, without regard to case; views are not looked at.</param>
    /// <param name="options">How many files at once; null for all that are there. Those of an insert, or of a batch of a stream, are read together. Files stay (<see cref="AfterReading.Keep"/>), and <see cref="FileSourceOptions.MaxFileAge"/> is not looked at.</param>
    /// <exception cref="QueryException">There is no such table: says which there are.</exception>
    public DataFrame Table(string name, FileSourceOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (_session.Warehouse.Find(name) is { } folder) return From(new TableStreamSource(name, folder, options ?? new()));
        var (known, isView) = (_session.Warehouse.Names, _session.Catalog.Contains(name));
        throw new QueryException("TABLE_OR_VIEW_NOT_FOUND",
            $"There is no table '{name}' that could be read as a stream{(isView ? "; there is a view of that name, which context.Table opens" : "")}. "
            + $"{(known.Count == 0 ? "There are no tables yet: WriteStream.ToTable, SaveAsTable and CREATE TABLE make them." : $"There are: {Suggest.Some(known)}.")}{Suggest.Hint(name, known)} "
            + $"Tables are looked for in '{_session.Warehouse.Folder}' (context.Warehouse.Folder).");
    }

    /// <summary>Messages of an MQTT broker, with quality 1: columns <c>topic</c>, <c>payload</c> (bytes), <c>qos</c>, <c>retained</c>, <c>timestamp</c>. <see cref="MqttSource"/> says what is promised.</summary>
    /// <param name="options">The broker.</param>
    /// <param name="topics">What to subscribe to: <c>sensors/+/temperature</c>, <c>sensors/#</c>, <c>$share/group/sensors/#</c>.</param>
    /// <exception cref="ArgumentException">There is none, or one is not written as MQTT has it.</exception>
    public DataFrame Mqtt(MqttOptions options, params string[] topics) => From(new MqttSource(options, topics));

    /// <summary>Objects that the program puts into a channel, as columns.</summary>
    /// <remarks>They are kept as JSON in the query's checkpoint as soon as they are taken out of the channel, and read from there: what was taken outlives the process, what is in the channel does not. One query
    /// reads a channel. <see cref="Trigger.AvailableNow"/> goes on until the channel is completed; an error that completes it ends the query, after the objects before it.</remarks>
    /// <typeparam name="T">A record, a class, a tuple, or a plain value, whose column is called <c>value</c>.</typeparam>
    /// <param name="channel">Where they come from.</param>
    /// <param name="options">How they are kept until batches have read them; null for the defaults.</param>
    /// <exception cref="QueryException">A property has a type that SQL does not have; says which.</exception>
    public DataFrame From<T>(ChannelReader<T> channel, ReceiverOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return From(new ChannelSource<T>(channel, options));
    }

    /// <summary>Objects of a sequence of the program, as columns.</summary>
    /// <remarks>Each start of a query begins the sequence anew, and reads behind what earlier starts took of theirs. Otherwise as <see cref="From{T}(ChannelReader{T}, ReceiverOptions?)"/>.</remarks>
    /// <typeparam name="T">A record, a class, a tuple, or a plain value, whose column is called <c>value</c>.</typeparam>
    /// <param name="items">The sequence; it is told by its token when the query ends.</param>
    /// <param name="options">How they are kept until batches have read them; null for the defaults.</param>
    /// <exception cref="QueryException">A property has a type that SQL does not have; says which.</exception>
    public DataFrame From<T>(IAsyncEnumerable<T> items, ReceiverOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(items);
        return From(new SequenceSource<T>(items, options));
    }

    /// <summary>Lines that a server sends over TCP, as a column <c>value</c>.</summary>
    /// <remarks>They are kept in the query's checkpoint as they come. What the server sends while nobody is connected is lost: nobody can ask for it.</remarks>
    /// <param name="host">The server.</param>
    /// <param name="port">Its port.</param>
    /// <param name="includeTimestamp">Whether a column <c>timestamp</c> says when a line came.</param>
    /// <param name="reconnect">What happens when the connection fails or ends; null to end with it.</param>
    /// <param name="options">How lines are kept until batches have read them; null for the defaults.</param>
    public DataFrame Socket(string host, int port, bool includeTimestamp = false, ReconnectOptions? reconnect = null, ReceiverOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(host);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
        return From(new SocketSource(host, port, includeTimestamp, reconnect, options ?? new()));
    }

    /// <summary>Lines that a server sends as one long answer to a GET, as a column <c>value</c>; blank ones are none.</summary>
    /// <remarks>They are kept in the query's checkpoint as they come. When the connection fails, ends or is silent for too long it is made anew; what the server sends meanwhile is lost, unless it
    /// sends it again itself. An answer 4xx ends the query (<c>STREAM_REFUSED</c>), 429 and 5xx are tried again, after the time that <c>Retry-After</c> names.</remarks>
    /// <param name="url">An http or https address.</param>
    /// <param name="options">Token, headers, waits; null for the defaults.</param>
    /// <exception cref="ArgumentException">It is no such address.</exception>
    public DataFrame HttpLines(string url, HttpLineOptions? options = null) =>
        From(new HttpLineSource(AddressOf(url), options ?? new(), _ => TextFormat.Lines(options?.IncludeTimestamp == true)));

    /// <summary>JSON objects, one a line, that a server sends as one long answer to a GET. Otherwise as <see cref="HttpLines"/>.</summary>
    /// <typeparam name="T">A record or class whose properties are the columns.</typeparam>
    /// <param name="url">An http or https address.</param>
    /// <param name="options">Token, headers, waits; null for the defaults.</param>
    /// <exception cref="ArgumentException">It is no such address.</exception>
    public DataFrame HttpJson<T>(string url, HttpLineOptions? options = null) => HttpJson(url, RecordShape<T>.Find().Schema, options);

    /// <inheritdoc cref="HttpJson{T}"/>
    /// <param name="schema">The columns.</param>
    public DataFrame HttpJson(string url, Schema schema, HttpLineOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(schema);
        if (options?.IncludeTimestamp == true) throw new ArgumentException("IncludeTimestamp is for lines as text (HttpLines): the columns here are those of the objects.", nameof(options));
        return From(new HttpLineSource(AddressOf(url), options ?? new(), name => new JsonFormat(name, schema, _session.TimeZone, ReceivedPart.Whole)));
    }

    /// <summary>Rows by the clock, for trials: columns <c>timestamp</c> and <c>value</c>, which counts from 0.</summary>
    /// <remarks>Row N is always the same: its time is N / <paramref name="rowsPerSecond"/> after the query's first start. There are always more, so <see cref="Trigger.AvailableNow"/> hardly ends.</remarks>
    /// <param name="rowsPerSecond">1 or more; fixed by the first start with a checkpoint.</param>
    /// <param name="partitions">In how many pieces a batch is made; 0 for as many as tasks run at once.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public DataFrame Rate(long rowsPerSecond, int partitions = 0, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsPerSecond, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(partitions);
        return From(new RateSource(rowsPerSecond, partitions == 0 ? _session.Context.DefaultParallelism : partitions, time ?? TimeProvider.System));
    }

    /// <summary>Anyone's source.</summary>
    /// <param name="source">The source.</param>
    public DataFrame From(IStreamSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new DataFrame(_session, Sql.Plans.Scan.Of(new StreamTable(source)), null);
    }

    private static Uri AddressOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? address
        : throw new ArgumentException($"'{url}' is no address of a server: it begins with http:// or https://.", nameof(url));
}
