using System.Text.Json;
using System.Text.Json.Serialization;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>Messages as JSON, by code made at compile time. Strict: an unknown kind, an unknown or a missing member is an error.</summary>
[JsonSourceGenerationOptions(
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    Converters =
    [
        typeof(JobIdConverter), typeof(StageIdConverter), typeof(TaskIdConverter), typeof(ShuffleIdConverter),
        typeof(ExecutorIdConverter), typeof(WorkerIdConverter), typeof(TimeSpanConverter), typeof(TaskMetricsConverter),
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

/// <summary>As an array of numbers, since every task that ends sends one. Both ends run the same engine.</summary>
internal sealed class TaskMetricsConverter : JsonConverter<TaskMetrics>
{
    public override TaskMetrics Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("task metrics are an array of numbers");
        var metrics = new TaskMetrics
        {
            RunTime = new TimeSpan(Next(ref reader)),
            GcPauseTime = new TimeSpan(Next(ref reader)),
            InputBytes = Next(ref reader),
            InputRecords = Next(ref reader),
            OutputBytes = Next(ref reader),
            OutputRecords = Next(ref reader),
            ShuffleReadBytes = Next(ref reader),
            ShuffleReadRecords = Next(ref reader),
            FetchWaitTime = new TimeSpan(Next(ref reader)),
            ShuffleWriteBytes = Next(ref reader),
            ShuffleWriteRecords = Next(ref reader),
            SpilledBytes = Next(ref reader),
            PeakMemoryBytes = Next(ref reader),
            ResultBytes = Next(ref reader),
        };
        if (!reader.Read() || reader.TokenType != JsonTokenType.EndArray) throw new JsonException("task metrics have more numbers than are known");
        return metrics;
    }

    public override void Write(Utf8JsonWriter writer, TaskMetrics value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        writer.WriteNumberValue(value.RunTime.Ticks);
        writer.WriteNumberValue(value.GcPauseTime.Ticks);
        writer.WriteNumberValue(value.InputBytes);
        writer.WriteNumberValue(value.InputRecords);
        writer.WriteNumberValue(value.OutputBytes);
        writer.WriteNumberValue(value.OutputRecords);
        writer.WriteNumberValue(value.ShuffleReadBytes);
        writer.WriteNumberValue(value.ShuffleReadRecords);
        writer.WriteNumberValue(value.FetchWaitTime.Ticks);
        writer.WriteNumberValue(value.ShuffleWriteBytes);
        writer.WriteNumberValue(value.ShuffleWriteRecords);
        writer.WriteNumberValue(value.SpilledBytes);
        writer.WriteNumberValue(value.PeakMemoryBytes);
        writer.WriteNumberValue(value.ResultBytes);
        writer.WriteEndArray();
    }

    private static long Next(ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.Number ? reader.GetInt64() : throw new JsonException("task metrics have fewer numbers than are known");
}
