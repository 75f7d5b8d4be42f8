using Dataflow.Serialization;
using Dataflow.Shared;
using Dataflow.Scheduling;
using Dataflow.Shuffle;

namespace Dataflow.Tasks;

/// <summary>How a task ended, as bytes: from its executor, which writes, to the driver, which reads by the types it knows of the task.</summary>
internal static class TaskReport
{
    private enum Kind : byte
    {
        Result = 1,
        MapOutput,
        Threw,
        FetchFailed,
        Killed,
        Lost,
        CommitDenied,
        Abandoned,
    }

    /// <summary>Writes a report. A result that can't be encoded makes it the report of a task that threw.</summary>
    /// <param name="writer">Empty.</param>
    /// <param name="binary">The code of the task's stage; null if it could not be read, and the task only failed.</param>
    public static void Write(BlockWriter writer, StageBinary? binary, TaskOutcome outcome, TaskMetrics metrics, AccumulatorUpdates accumulators)
    {
        try
        {
            Codec<TaskMetrics>.Default.Write(writer, [metrics]);
            accumulators.Write(writer);
            WriteOutcome(writer, binary, outcome);
        }
        catch (CodecException error)
        {
            writer.Reset();
            Codec<TaskMetrics>.Default.Write(writer, [metrics]);
            new AccumulatorUpdates().Write(writer);
            WriteOutcome(writer, binary, new TaskThrew(error));
        }
    }

    /// <summary>Reads a report.</summary>
    /// <param name="binary">The driver's own code of the task's stage.</param>
    /// <param name="find">The driver's accumulator of a number.</param>
    /// <exception cref="CorruptDataException">The bytes are no report of such a task.</exception>
    public static (TaskOutcome Outcome, TaskMetrics Metrics, AccumulatorUpdates Accumulators) Read(
        ReadOnlySpan<byte> bytes, StageBinary binary, Func<int, Accumulator?> find)
    {
        var reader = new BlockReader(bytes);
        var metrics = ReadOne<TaskMetrics>(ref reader);
        var accumulators = AccumulatorUpdates.Read(ref reader, find);
        return (ReadOutcome(ref reader, binary), metrics, accumulators);
    }

    private static void WriteOutcome(BlockWriter writer, StageBinary? binary, TaskOutcome outcome)
    {
        switch (outcome)
        {
            case TaskSucceeded { Value: MapStatus status } when binary is MapStageBinary:
                writer.WriteByte((byte)Kind.MapOutput);
                MapStatusFormat.Write(writer, status);
                break;
            case TaskSucceeded { Value: var value } when binary is ResultStageBinary result:
                writer.WriteByte((byte)Kind.Result);
                CodecOf(result).Write(writer, value);
                break;
            case TaskThrew { Exception: TaskAbandonedException abandoned }:
                writer.WriteByte((byte)Kind.Abandoned);
                writer.WriteString(abandoned.Message);
                writer.WriteUnmanaged(abandoned.Stage.Value);
                writer.WriteUnmanaged(abandoned.Partition);
                break;
            case TaskThrew { Exception: var error, LastRead: var lastRead }:
                writer.WriteByte((byte)Kind.Threw);
                Codec<RemoteError>.Default.Write(writer, [RemoteError.Of(error)]);
                writer.WriteString(lastRead);
                break;
            case FetchFailed failed:
                writer.WriteByte((byte)Kind.FetchFailed);
                Codec<FetchFailed>.Default.Write(writer, [failed]);
                break;
            case TaskKilled killed:
                writer.WriteByte((byte)Kind.Killed);
                writer.WriteString(killed.Reason);
                break;
            case TaskLost lost:
                writer.WriteByte((byte)Kind.Lost);
                writer.WriteString(lost.Reason);
                break;
            case CommitDenied:
                writer.WriteByte((byte)Kind.CommitDenied);
                break;
            default:
                throw new InvalidOperationException($"A bug of Dataflow: {outcome} is no outcome of a task of {binary?.Rdd}. Please report it.");
        }
    }

    private static TaskOutcome ReadOutcome(ref BlockReader reader, StageBinary binary) => (Kind)reader.ReadByte() switch
    {
        Kind.MapOutput when binary is MapStageBinary => new TaskSucceeded(MapStatusFormat.Read(ref reader)),
        Kind.Result when binary is ResultStageBinary result => new TaskSucceeded(CodecOf(result).Read(ref reader)),
        Kind.Threw => new TaskThrew(ReadOne<RemoteError>(ref reader).ToException()) { LastRead = reader.ReadString() },
        Kind.FetchFailed => ReadOne<FetchFailed>(ref reader),
        Kind.Killed => new TaskKilled(reader.ReadString() ?? ""),
        Kind.Lost => new TaskLost(reader.ReadString() ?? ""),
        Kind.CommitDenied => new CommitDenied(),
        Kind.Abandoned => new TaskThrew(
            new TaskAbandonedException(reader.ReadString() ?? "", new StageId(reader.ReadUnmanaged<int>()), reader.ReadUnmanaged<int>())),
        var other => throw new CorruptDataException($"A report of a task of {binary.Rdd} says {(byte)other}, which is no outcome of one."),
    };

    private static ResultCodec CodecOf(ResultStageBinary binary) =>
        binary.Results ?? throw new InvalidOperationException($"A bug of Dataflow: nobody said what the results of {binary.Rdd} are. Please report it.");

    private static T ReadOne<T>(ref BlockReader reader)
    {
        var one = new T[1];
        Codec<T>.Default.Read(ref reader, one);
        return one[0];
    }
}
