using System.Text.Json.Serialization;
using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

// What an executor and its driver say to each other.

/// <summary>An executor offers its slots: the first message on its link, and again after a lost link.</summary>
/// <param name="Application">The application that it was started for.</param>
/// <param name="Executor">Its number, given with the grant.</param>
/// <param name="Worker">The worker that started it and serves its map outputs.</param>
/// <param name="Host">Name of its machine, as locality compares it.</param>
/// <param name="DataUrl">Where its blocks are fetched.</param>
/// <param name="WorkerUrl">Where map outputs are fetched; the executor's own address if they end with it.</param>
/// <param name="WorkerFolder">Where map outputs lie on that machine, for other processes of it; null if they are not in files.</param>
/// <param name="Slots">How many tasks it runs at once.</param>
/// <param name="Resources">Addresses of its named resources, by name.</param>
/// <param name="Epoch">Counts the links of this executor; messages of an older link are ignored.</param>
internal sealed record RegisterExecutor(
    string Application, ExecutorId Executor, WorkerId Worker, string Host, string DataUrl, string WorkerUrl, string? WorkerFolder, int Slots,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Resources, long Epoch) : ControlMessage;

/// <summary>The driver took the executor in.</summary>
/// <param name="Epoch">That of the registration.</param>
/// <param name="HeartbeatInterval">How often it is to beat.</param>
/// <param name="Settings">Settings of the application that executors follow, by name.</param>
internal sealed record Registered(long Epoch, TimeSpan HeartbeatInterval, IReadOnlyDictionary<string, string> Settings) : ControlMessage;

/// <summary>Tasks to run at once, each in a slot of its own.</summary>
internal sealed record LaunchTasks(IReadOnlyList<TaskLaunch> Tasks) : ControlMessage;

/// <summary>One attempt at one task.</summary>
/// <param name="Task">The attempt.</param>
/// <param name="Job">The job that first needed the stage.</param>
/// <param name="Stage">The stage.</param>
/// <param name="StageAttempt">The attempt at the stage.</param>
/// <param name="Partition">Index of the partition.</param>
/// <param name="Attempt">0 for the first attempt at this task.</param>
/// <param name="Speculative">Whether it is a second copy of a slow task.</param>
/// <param name="Cpus">Slots that it takes.</param>
/// <param name="Binary">Number of the stage's code; see <see cref="StageBinaryAvailable"/>.</param>
/// <param name="PartitionBytes">The partition, with all that computing it needs.</param>
/// <param name="Epoch">Locations of map outputs learned before this epoch are out of date.</param>
/// <param name="Resources">Addresses of named resources that are the task's while it runs.</param>
/// <param name="GangHosts">Where the tasks of its barrier stage run, by index; null if it is of none.</param>
/// <param name="CachePeers">Where blocks are fetched of executors that keep what the task begins with, if it was sent to another one.</param>
/// <param name="Properties">Properties of the job that tasks may read.</param>
internal sealed record TaskLaunch(
    TaskId Task, JobId Job, StageId Stage, int StageAttempt, int Partition, int Attempt, bool Speculative, int Cpus,
    long Binary, byte[] PartitionBytes, long Epoch,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Resources, IReadOnlyList<string>? GangHosts,
    IReadOnlyList<string> CachePeers, IReadOnlyDictionary<string, string> Properties);

/// <summary>The code of a stage can be had: here when it is small, else as block <c>binary/ID</c> of the driver.</summary>
/// <param name="Binary">Its number.</param>
/// <param name="Hash">SHA-256 of its bytes.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Bytes">The bytes, or null if they are to be fetched.</param>
internal sealed record StageBinaryAvailable(long Binary, byte[] Hash, int Length, byte[]? Bytes) : ControlMessage;

/// <summary>An attempt is to end. One that has ended is ignored.</summary>
internal sealed record KillAttempt(TaskId Task, string Reason) : ControlMessage;

/// <summary>Attempts that ended.</summary>
internal sealed record TasksFinished(IReadOnlyList<TaskFinish> Tasks) : ControlMessage;

/// <summary>How one attempt ended.</summary>
/// <param name="Task">The attempt.</param>
/// <param name="Report">How it ended, by <see cref="TaskReport"/>; null if it is too large for a message and waits as block <c>result/TASK</c>.</param>
internal sealed record TaskFinish(TaskId Task, byte[]? Report);

/// <summary>The driver has taken a report that waited as a block.</summary>
internal sealed record ReportTaken(TaskId Task) : ControlMessage;

/// <summary>An attempt asks whether it may make its output final.</summary>
internal sealed record AskCommit(TaskId Task, StageId Stage, int StageAttempt, int Partition) : ControlMessage;

/// <summary>Whether it may.</summary>
internal sealed record CommitAnswer(TaskId Task, bool Granted) : ControlMessage;

/// <summary>A task of a barrier stage waits for the others.</summary>
/// <param name="Task">The attempt.</param>
/// <param name="Stage">Its stage.</param>
/// <param name="StageAttempt">The attempt at the stage.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Meeting">Number of the meeting, from 0.</param>
/// <param name="Kind">What it called.</param>
/// <param name="Message">What it brings.</param>
/// <param name="Timeout">How long it waits.</param>
internal sealed record AskMeeting(
    TaskId Task, StageId Stage, int StageAttempt, int Partition, int Meeting, MeetingKind Kind, byte[] Message, TimeSpan Timeout) : ControlMessage;

/// <summary>All have come, or the meeting can't take place.</summary>
/// <param name="Task">The attempt that waits.</param>
/// <param name="Meeting">Number of the meeting.</param>
/// <param name="Messages">What each brought, by index; null if they do not meet.</param>
/// <param name="Failure">Why they do not; null if they do.</param>
internal sealed record MeetingAnswer(TaskId Task, int Meeting, byte[][]? Messages, string? Failure) : ControlMessage;

/// <summary>Cached blocks came, moved or went.</summary>
internal sealed record BlocksUpdated(IReadOnlyList<BlockUpdate> Updates) : ControlMessage;

/// <summary>An object of a partition came to the executor's state, or went.</summary>
internal sealed record StateUpdated(StateUpdate Update) : ControlMessage;

/// <summary>The cached partitions of an Rdd are no longer wanted.</summary>
/// <param name="Rdd">The Rdd.</param>
/// <param name="Epoch">Tasks of stages that were submitted before this epoch keep nothing of it any more.</param>
internal sealed record DropCachedBlocks(int Rdd, long Epoch = 0) : ControlMessage;

/// <summary>An executor is to keep a copy of a cached partition.</summary>
/// <param name="Rdd">The Rdd.</param>
/// <param name="Partition">The partition.</param>
/// <param name="From">Where it is fetched.</param>
/// <param name="Replicas">On how many executors it is to be.</param>
/// <param name="Epoch">A drop of a later epoch overrides this.</param>
/// <param name="Transfer">Answered with <see cref="TookOver"/> under this number; null if nobody waits for it.</param>
internal sealed record CopyBlock(int Rdd, int Partition, string From, int Replicas, long Epoch, long? Transfer) : ControlMessage;

/// <summary>An executor is to fetch map outputs into its worker's folder, for the worker that serves them leaves. Answered with <see cref="TookOver"/>.</summary>
/// <param name="Transfer">Its number.</param>
/// <param name="From">Where they are fetched.</param>
/// <param name="Outputs">Which.</param>
internal sealed record CopyOutputs(long Transfer, string From, IReadOnlyList<MovedOutput> Outputs) : ControlMessage;

/// <summary>An executor has done what <see cref="CopyOutputs"/> or <see cref="CopyBlock"/> asked for, as far as it could.</summary>
/// <param name="Transfer">The number of the request.</param>
/// <param name="Outputs">Which outputs its worker serves now, by position in the request.</param>
internal sealed record TookOver(long Transfer, int[] Outputs) : ControlMessage;

/// <summary>Map outputs are at other places than before: where they were is of the past before this epoch.</summary>
internal sealed record OutputsMoved(long Epoch) : ControlMessage;

/// <summary>An executor wants the next piece of a broadcast value that it lacks.</summary>
internal sealed record WantPiece(long Broadcast) : ControlMessage;

/// <summary>From whom an executor is to fetch a piece.</summary>
/// <param name="Broadcast">Number of the value.</param>
/// <param name="Piece">Which piece.</param>
/// <param name="Pieces">How many there are.</param>
/// <param name="Source">Where an executor serves it; null for the driver.</param>
/// <param name="Problem">Why the value can't be had; null if it can.</param>
internal sealed record PieceAt(long Broadcast, int Piece, int Pieces, string? Source, string? Problem) : ControlMessage;

/// <summary>An executor has a piece and serves it, or could not fetch it.</summary>
internal sealed record GotPiece(long Broadcast, int Piece, bool Whole) : ControlMessage;

/// <summary>The pieces of a broadcast value are no longer wanted.</summary>
/// <param name="Broadcast">Its number.</param>
/// <param name="ForEver">Whether it was destroyed, so that fetching it again is an error.</param>
internal sealed record DropBroadcast(long Broadcast, bool ForEver) : ControlMessage;

/// <summary>A worker is gone with all that it served: whoever reads from it has no need to wait until the network says so.</summary>
internal sealed record ServerLost(WorkerId Server, string Reason) : ControlMessage;

/// <summary>The outputs of a shuffle are no longer wanted.</summary>
internal sealed record RemoveShuffle(ShuffleId Shuffle) : ControlMessage;

/// <summary>The objects of a name are no longer wanted.</summary>
internal sealed record RemoveState(string Name) : ControlMessage;

/// <summary>An executor asks who serves the outputs of a shuffle.</summary>
internal sealed record MapOutputsAsked(ShuffleId Shuffle, long Epoch) : ControlMessage;

/// <summary>Who serves the outputs of a shuffle.</summary>
/// <param name="Shuffle">The shuffle.</param>
/// <param name="Epoch">The epoch of the map outputs that this holds for.</param>
/// <param name="Locations">For <see cref="MapOutputLocations.Decode"/>; null if the shuffle is not known.</param>
internal sealed record MapOutputsAnswer(ShuffleId Shuffle, long Epoch, byte[]? Locations) : ControlMessage;

/// <summary>An executor says how it is. That it lives is the link's business: keep-alives end a silent one.</summary>
internal sealed record Heartbeat(ExecutorMetrics Metrics) : ControlMessage;

/// <summary>The receiver is to end.</summary>
internal sealed record Shutdown(string Reason) : ControlMessage;

/// <summary>A registration or request was refused for good; the link is closed after it.</summary>
internal sealed record Refused(string Reason) : ControlMessage;
