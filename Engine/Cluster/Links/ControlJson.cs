using System.Text.Json;
using System.Text.Json.Serialization;
using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>Messages as JSON, by code made at compile time. Strict: an unknown kind, an unknown or a missing member is an error.</summary>
[JsonSourceGenerationOptions(
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    Converters =
    [
        typeof(JobIdConverter), typeof(StageIdConverter), typeof(TaskIdConverter), typeof(ShuffleIdConverter),
        typeof(ExecutorIdConverter), typeof(WorkerIdConverter), typeof(TimeSpanConverter),
    ])]
[JsonSerializable(typeof(ControlMessage))]
[JsonSerializable(typeof(ControlMessage[]))]
internal sealed partial class ControlJson : JsonSerializerContext;

/// <summary>A frame: a JSON array of messages.</summary>
internal static class ControlFrame
{
    /// <summary>Reads the messages of a frame.</summary>
    /// <exception cref="InvalidDataException">It is no frame that this version knows.</exception>
    public static ControlMessage[] Decode(ReadOnlySpan<byte> frame)
    {
        ControlMessage?[]? messages;
        try
        {
            messages = JsonSerializer.Deserialize(frame, ControlJson.Default.ControlMessageArray);
        }
        catch (Exception error) when (error is JsonException or NotSupportedException or InvalidOperationException or FormatException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"a frame of {frame.Length:N0} bytes holds no messages of this version: {error.Message}", error);
        }
        if (messages is null || Array.IndexOf(messages, null) >= 0)
            throw new InvalidDataException($"a frame of {frame.Length:N0} bytes holds null instead of a message");
        return messages!;
    }
}

// Ids travel as plain numbers.

internal sealed class JobIdConverter : JsonConverter<JobId>
{
    public override JobId Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, JobId value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

internal sealed class StageIdConverter : JsonConverter<StageId>
{
    public override StageId Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, StageId value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

internal sealed class TaskIdConverter : JsonConverter<TaskId>
{
    public override TaskId Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(reader.GetInt64());

    public override void Write(Utf8JsonWriter writer, TaskId value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

internal sealed class ShuffleIdConverter : JsonConverter<ShuffleId>
{
    public override ShuffleId Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, ShuffleId value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

internal sealed class ExecutorIdConverter : JsonConverter<ExecutorId>
{
    public override ExecutorId Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, ExecutorId value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

internal sealed class WorkerIdConverter : JsonConverter<WorkerId>
{
    public override WorkerId Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, WorkerId value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

/// <summary>As ticks of 100 ns.</summary>
internal sealed class TimeSpanConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(reader.GetInt64());

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Ticks);
}
