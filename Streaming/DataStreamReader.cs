using Dataflow.Sql.Records;
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
    public DataFrame Json<T>(string folder, FileSourceOptions? options = null) => Json(folder, RecordShape<T>.Find().Schema, options);

    /// <inheritdoc cref="Json{T}"/>
    /// <param name="schema">The columns.</param>
    public DataFrame Json(string folder, Schema schema, FileSourceOptions? options = null) => From(new FileStreamSource(folder, FileStreamFormat.Json(schema, _session.TimeZone), options));

    /// <summary>Files of comma-separated values that come into a folder. Otherwise as <see cref="Json{T}"/>.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="csv">How they are written; must have a schema.</param>
    /// <param name="options">How many files at once; null for all that are there.</param>
    /// <exception cref="ArgumentException">There is no schema.</exception>
    public DataFrame Csv(string folder, CsvOptions csv, FileSourceOptions? options = null) => From(new FileStreamSource(folder, FileStreamFormat.Csv(csv, _session.TimeZone), options));

    /// <summary>The lines of text files that come into a folder, as a column <c>value</c>. Otherwise as <see cref="Json{T}"/>.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">How many files at once; null for all that are there.</param>
    public DataFrame Text(string folder, FileSourceOptions? options = null) => From(new FileStreamSource(folder, FileStreamFormat.Text(), options));

    /// <summary>Messages of an MQTT broker, with quality 1: columns <c>topic</c>, <c>payload</c> (bytes), <c>qos</c>, <c>retained</c>, <c>timestamp</c>. <see cref="MqttSource"/> says what is promised.</summary>
    /// <param name="options">The broker.</param>
    /// <param name="topics">What to subscribe to: <c>sensors/+/temperature</c>, <c>sensors/#</c>, <c>$share/group/sensors/#</c>.</param>
    /// <exception cref="ArgumentException">There is none, or one is not written as MQTT has it.</exception>
    public DataFrame Mqtt(MqttOptions options, params string[] topics) => From(new MqttSource(options, topics));

    /// <summary>Anyone's source.</summary>
    /// <param name="source">The source.</param>
    public DataFrame From(IStreamSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new DataFrame(_session, Sql.Plans.Scan.Of(new StreamTable(source)), null);
    }
}
