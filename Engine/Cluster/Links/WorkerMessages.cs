using Dataflow.Scheduling;

namespace Dataflow.Cluster;

// What workers and programs say to the coordinator, and hear from it.

/// <summary>A worker offers its machine: the first message on its link, and again after a lost link or a coordinator's restart.</summary>
/// <param name="Version">Version of its engine; another one is refused with a message that names both.</param>
/// <param name="Name">Its name, unique in the cluster; a second worker of the same name replaces the first.</param>
/// <param name="Host">Name of its machine, as locality compares it.</param>
/// <param name="Cores">Cores that it grants to executors.</param>
/// <param name="MemoryBytes">Memory that it grants to executors.</param>
/// <param name="Resources">Addresses of its named resources, by name.</param>
/// <param name="DataUrl">Where its blocks and staged files are fetched.</param>
/// <param name="Epoch">Counts the links of this worker process.</param>
/// <param name="Worker">The number that this process was given before, which it keeps if nobody has missed it yet; null at first.</param>
/// <param name="Executors">Executors that it runs or starts already.</param>
/// <param name="Applications">Applications of which it keeps files. Of those that have ended it hears <see cref="ApplicationEnded"/>.</param>
internal sealed record RegisterWorker(
    string Version, string Name, string Host, int Cores, long MemoryBytes,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Resources, string DataUrl, long Epoch, WorkerId? Worker,
    IReadOnlyList<RunningExecutor> Executors, IReadOnlyList<string> Applications) : ControlMessage;

/// <summary>An executor that a worker runs when it registers.</summary>
internal sealed record RunningExecutor(
    string Application, ExecutorId Executor, int Cores, long MemoryBytes, IReadOnlyDictionary<string, IReadOnlyList<string>> Resources);

/// <summary>The coordinator took the worker in.</summary>
/// <param name="Worker">Its number from now on.</param>
/// <param name="Epoch">That of the registration.</param>
internal sealed record WorkerRegistered(WorkerId Worker, long Epoch) : ControlMessage;

/// <summary>A worker is to start an executor.</summary>
/// <param name="Application">The application.</param>
/// <param name="Executor">The executor's number.</param>
/// <param name="Worker">The worker's number, under which it serves map outputs.</param>
/// <param name="DriverUrl">Where the executor registers.</param>
/// <param name="Cores">Its slots.</param>
/// <param name="MemoryBytes">Its memory, heap and engine memory together.</param>
/// <param name="Resources">Addresses of named resources that are the executor's.</param>
/// <param name="Secret">The application's secret, sealed with <see cref="IControlChannel.Seal"/> for this link.</param>
/// <param name="Files">The application's files, to be staged in one folder.</param>
/// <param name="Settings">Settings of the executor's process, by name.</param>
internal sealed record LaunchExecutor(
    string Application, ExecutorId Executor, WorkerId Worker, string DriverUrl, int Cores, long MemoryBytes,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Resources, byte[] Secret,
    IReadOnlyList<CodeFile> Files, IReadOnlyDictionary<string, string> Settings) : ControlMessage;

/// <summary>One file of an application.</summary>
/// <param name="Path">Where it belongs, relative to the application's folder, with forward slashes.</param>
/// <param name="Hash">SHA-256 of its content in lower-case hex: its name as a block, <c>code/HASH</c>.</param>
/// <param name="Length">Bytes.</param>
internal sealed record CodeFile(string Path, string Hash, long Length);

/// <summary>A worker wants the next bundle of an application's files that it lacks, and fetches none now. Answered with <see cref="FilesAt"/>, sooner or later.</summary>
/// <param name="Application">The application.</param>
/// <param name="Here">Bundles that it has and serves, by position in <see cref="CodeBundles"/>; if they are all, it wants nothing.</param>
internal sealed record WantFiles(string Application, int[] Here) : ControlMessage;

/// <summary>From whom a worker is to fetch a bundle of files.</summary>
/// <param name="Application">The application.</param>
/// <param name="Bundle">Which bundle; null if the coordinator can't say, and the driver is to be asked for all.</param>
/// <param name="Source">Where another worker serves it; null for the driver.</param>
internal sealed record FilesAt(string Application, int? Bundle, string? Source) : ControlMessage;

/// <summary>A worker has a bundle and serves it, or could not fetch it.</summary>
internal sealed record GotFiles(string Application, int Bundle, bool Whole) : ControlMessage;

/// <summary>An executor's process ended, or could not be started. The coordinator hears it of the worker, and tells the program.</summary>
/// <param name="Application">The application.</param>
/// <param name="Executor">The executor.</param>
/// <param name="ExitCode">Its exit code; null if it never ran.</param>
/// <param name="Reason">For people: a signal, out of memory, what it last wrote.</param>
internal sealed record ExecutorExited(string Application, ExecutorId Executor, int? ExitCode, string Reason) : ControlMessage;

/// <summary>A worker is to end an executor.</summary>
internal sealed record StopExecutor(string Application, ExecutorId Executor, string Reason) : ControlMessage;

/// <summary>A program asks for executors: the first message on its link, and again after a coordinator's restart.</summary>
/// <param name="Version">Version of its engine.</param>
/// <param name="Application">Its name, unique in the cluster; made by the driver.</param>
/// <param name="Title">For people.</param>
/// <param name="DriverUrl">Where its executors register and fetch code.</param>
/// <param name="Secret">The application's secret, sealed with <see cref="IControlChannel.Seal"/> for this link.</param>
/// <param name="Files">Its files.</param>
/// <param name="Wanted">How many executors of which size.</param>
/// <param name="Settings">Settings of the executors' processes, by name.</param>
/// <param name="Executors">Executors that it has already.</param>
/// <param name="FirstExecutor">New executors get numbers from here on. Raised with each link well beyond all that the program heard of, so that a
/// coordinator that knows nothing of its predecessor gives no number twice.</param>
/// <param name="Epoch">Counts the links of this program.</param>
internal sealed record RegisterApplication(
    string Version, string Application, string Title, string DriverUrl, byte[] Secret, IReadOnlyList<CodeFile> Files,
    ExecutorWish Wanted, IReadOnlyDictionary<string, string> Settings, IReadOnlyList<ExecutorId> Executors, int FirstExecutor, long Epoch) : ControlMessage;

/// <summary>How many executors a program wants, and how large.</summary>
/// <param name="Least">Fewer are of no use.</param>
/// <param name="Most">More are not wanted; <see cref="int.MaxValue"/> takes all there are.</param>
/// <param name="Cores">Slots of each; 0 takes all of a worker's free cores.</param>
/// <param name="MemoryBytes">Memory of each; 0 takes the share that goes with its cores.</param>
/// <param name="Resources">How many of each named resource each executor needs.</param>
internal sealed record ExecutorWish(int Least, int Most, int Cores, long MemoryBytes, IReadOnlyDictionary<string, int> Resources);

/// <summary>The coordinator knows the program.</summary>
/// <param name="Epoch">That of the registration.</param>
/// <param name="HeartbeatInterval">How often it is to beat.</param>
internal sealed record ApplicationRegistered(long Epoch, TimeSpan HeartbeatInterval) : ControlMessage;

/// <summary>A program says how its executors are, for people who ask for the cluster's status.</summary>
/// <param name="RunningTasks">Tasks that they run.</param>
/// <param name="MemoryBytes">Memory that they have given to data.</param>
/// <param name="MemoryLimitBytes">Memory that they may give to data.</param>
/// <param name="CachedBytes">Cached partitions in their memory.</param>
internal sealed record ApplicationBeat(int RunningTasks, long MemoryBytes, long MemoryLimitBytes, long CachedBytes) : ControlMessage;

/// <summary>A program wants another number of executors now.</summary>
internal sealed record WantExecutors(string Application, ExecutorWish Wanted) : ControlMessage;

/// <summary>The program gets executors; each registers with it once it runs.</summary>
internal sealed record GrantExecutors(string Application, IReadOnlyList<ExecutorGrant> Executors) : ControlMessage;

/// <summary>One executor that a program gets.</summary>
internal sealed record ExecutorGrant(ExecutorId Executor, WorkerId Worker, string WorkerName, string Host, string DataUrl, int Cores, long MemoryBytes);

/// <summary>An executor registered with its program: it works.</summary>
internal sealed record ExecutorReady(string Application, ExecutorId Executor) : ControlMessage;

/// <summary>A program hears of a worker: that it is there, or that the program gets no more executors of it.</summary>
/// <param name="Worker">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="Host">Its machine.</param>
/// <param name="Cores">Cores that it offers to all programs.</param>
/// <param name="MemoryBytes">Memory that it offers to all programs.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Reason">Why, for people; null if there is nothing to say.</param>
internal sealed record WorkerNews(
    WorkerId Worker, string Name, string Host, int Cores, long MemoryBytes, WorkerChangeKind Kind, string? Reason) : ControlMessage;

/// <summary>A program is asked to give executors back, for another one that has less.</summary>
/// <param name="Application">The program.</param>
/// <param name="Any">Executors of which some will do: it chooses.</param>
/// <param name="Count">How many of them.</param>
/// <param name="Grace">How long their tasks may go on.</param>
/// <param name="Reason">For people.</param>
internal sealed record AskBack(string Application, IReadOnlyList<ExecutorId> Any, int Count, TimeSpan Grace, string Reason) : ControlMessage;

/// <summary>An executor is given back by its program.</summary>
internal sealed record ReleaseExecutor(string Application, ExecutorId Executor, string Reason) : ControlMessage;

/// <summary>A worker is gone, with its executors and all that it served.</summary>
internal sealed record WorkerGone(WorkerId Worker, string Reason) : ControlMessage;

/// <summary>A program ended: its executors, files and map outputs are to be removed.</summary>
internal sealed record ApplicationEnded(string Application, string Reason) : ControlMessage;

/// <summary>A worker is to take no new tasks, hand over what it serves, and leave.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Deadline">After this long it leaves in any case.</param>
internal sealed record Drain(WorkerId Worker, TimeSpan Deadline) : ControlMessage;

/// <summary>A program has taken over what it wants of a worker that drains: for its sake the worker may leave.</summary>
internal sealed record HandedOver(string Application, WorkerId Worker) : ControlMessage;

/// <summary>Someone asks that a program be ended. Answered with <see cref="ApplicationEnded"/> or <see cref="Refused"/>.</summary>
internal sealed record KillApplication(string Application, string Reason) : ControlMessage;

/// <summary>Someone asks how the cluster is.</summary>
internal sealed record AskStatus : ControlMessage;

/// <summary>How the cluster is.</summary>
internal sealed record StatusAnswer(
    string Version, IReadOnlyList<WorkerStatus> Workers, IReadOnlyList<ApplicationStatus> Applications) : ControlMessage;

/// <summary>One worker of <see cref="StatusAnswer"/>.</summary>
internal sealed record WorkerStatus(
    WorkerId Worker, string Name, string Host, int Cores, int FreeCores, long MemoryBytes, long FreeMemoryBytes, bool Draining, IReadOnlyList<ResourceStatus> Resources);

/// <summary>A named resource of a worker: how many addresses it has, and how many nobody has.</summary>
internal sealed record ResourceStatus(string Name, int Count, int Free);

/// <summary>One program of <see cref="StatusAnswer"/>.</summary>
internal sealed record ApplicationStatus(string Application, string Title, string DriverUrl, int Executors, int Cores, ApplicationBeat? Load);
