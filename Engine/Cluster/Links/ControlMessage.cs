using System.Text.Json.Serialization;

namespace Dataflow.Cluster;

/// <summary>
/// One message of the control protocol. The whole vocabulary is listed here: a kind that is not in the list can neither be sent nor
/// received. Kinds are short words, since they travel with every message.
/// </summary>
/// <remarks>
/// Executor and driver always run the same engine, so what they say to each other may change freely. What workers, coordinators and
/// programs say to each other may meet another version: a change there raises <see cref="Handshake.Version"/>.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "t", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(RegisterExecutor), "register")]
[JsonDerivedType(typeof(Registered), "registered")]
[JsonDerivedType(typeof(LaunchTasks), "launch")]
[JsonDerivedType(typeof(StageBinaryAvailable), "binary")]
[JsonDerivedType(typeof(KillAttempt), "kill")]
[JsonDerivedType(typeof(TasksFinished), "finished")]
[JsonDerivedType(typeof(ReportTaken), "taken")]
[JsonDerivedType(typeof(AskCommit), "commit")]
[JsonDerivedType(typeof(CommitAnswer), "commit-answer")]
[JsonDerivedType(typeof(AskMeeting), "meet")]
[JsonDerivedType(typeof(MeetingAnswer), "meet-answer")]
[JsonDerivedType(typeof(BlocksUpdated), "blocks")]
[JsonDerivedType(typeof(StateUpdated), "state")]
[JsonDerivedType(typeof(DropCachedBlocks), "drop-cached")]
[JsonDerivedType(typeof(WantPiece), "want-piece")]
[JsonDerivedType(typeof(PieceAt), "piece-at")]
[JsonDerivedType(typeof(GotPiece), "got-piece")]
[JsonDerivedType(typeof(CopyBlock), "copy-block")]
[JsonDerivedType(typeof(CopyOutputs), "copy-outputs")]
[JsonDerivedType(typeof(TookOver), "took-over")]
[JsonDerivedType(typeof(OutputsMoved), "outputs-moved")]
[JsonDerivedType(typeof(DropBroadcast), "drop-broadcast")]
[JsonDerivedType(typeof(RemoveShuffle), "remove-shuffle")]
[JsonDerivedType(typeof(RemoveState), "remove-state")]
[JsonDerivedType(typeof(ServerLost), "server-lost")]
[JsonDerivedType(typeof(MapOutputsAsked), "outputs")]
[JsonDerivedType(typeof(MapOutputsAnswer), "outputs-answer")]
[JsonDerivedType(typeof(Heartbeat), "beat")]
[JsonDerivedType(typeof(Shutdown), "shutdown")]
[JsonDerivedType(typeof(Refused), "refused")]
[JsonDerivedType(typeof(RegisterWorker), "register-worker")]
[JsonDerivedType(typeof(WorkerRegistered), "worker-registered")]
[JsonDerivedType(typeof(LaunchExecutor), "launch-executor")]
[JsonDerivedType(typeof(WantFiles), "want-files")]
[JsonDerivedType(typeof(FilesAt), "files-at")]
[JsonDerivedType(typeof(GotFiles), "got-files")]
[JsonDerivedType(typeof(ExecutorExited), "executor-exited")]
[JsonDerivedType(typeof(StopExecutor), "stop-executor")]
[JsonDerivedType(typeof(RegisterApplication), "register-app")]
[JsonDerivedType(typeof(ApplicationRegistered), "app-registered")]
[JsonDerivedType(typeof(ApplicationBeat), "app-beat")]
[JsonDerivedType(typeof(WantExecutors), "want")]
[JsonDerivedType(typeof(GrantExecutors), "grant")]
[JsonDerivedType(typeof(ReleaseExecutor), "release")]
[JsonDerivedType(typeof(AskBack), "ask-back")]
[JsonDerivedType(typeof(ExecutorReady), "executor-ready")]
[JsonDerivedType(typeof(WorkerNews), "worker-news")]
[JsonDerivedType(typeof(WorkerGone), "worker-gone")]
[JsonDerivedType(typeof(ApplicationEnded), "app-ended")]
[JsonDerivedType(typeof(Drain), "drain")]
[JsonDerivedType(typeof(HandedOver), "handed-over")]
[JsonDerivedType(typeof(KillApplication), "kill-app")]
[JsonDerivedType(typeof(AskStatus), "status")]
[JsonDerivedType(typeof(StatusAnswer), "status-answer")]
internal abstract record ControlMessage;
