using Dataflow.Jobs;
using Dataflow.Scheduling;

namespace Dataflow.Simulation;

/// <summary>How a run ended.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Problem">What is wrong; null if nothing is.</param>
/// <param name="Hash">Stands for all that happened.</param>
/// <param name="Text">What happened, if that was asked for.</param>
internal sealed record RunOutcome(int Seed, string? Problem, ulong Hash, string Text)
{
    public int Jobs { get; init; }

    public int JobsFailed { get; init; }

    public int Tasks { get; init; }

    public int Faults { get; init; }

    public TimeSpan VirtualTime { get; init; }

    public TimeSpan RealTime { get; init; }
}

/// <summary>One run of a whole cluster by a seed: programs, faults, and what must hold whatever happened.</summary>
internal sealed class SimulatedRun
{
    // A job that has not ended by now never will.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly World _world;
    private readonly Cluster _cluster;
    private readonly Faults _faults;
    private readonly Workload _workload;
    private readonly SharedStorage _storage;
    private readonly List<DriverProgram> _programs;
    private readonly bool _isFair;

    private SimulatedRun(int seed, PlantedFault plant, bool tells)
    {
        _world = new World(seed, tells);

        // Where much may be tried again, no job may fail; elsewhere one may, and must say why.
        _isFair = _world.Chance(0.7);
        var options = DataflowOptions.Default with
        {
            Name = "simulated",
            Progress = false,
            Seed = seed,
            HugePages = false,
            EngineMemoryBytes = 64 << 20,
            TempFolder = "/simulated/driver",
            TaskMaxAttempts = _isFair ? 30 : 4,
            StageMaxAttempts = _isFair ? 30 : 4,
            Speculation = _world.Chance(0.5),
            SpeculationQuantile = 0.5,
            SchedulingMode = _world.Chance(0.3) ? SchedulingMode.Fair : SchedulingMode.Fifo,
            BarrierTimeout = TimeSpan.FromSeconds(60),
        };
        _cluster = new Cluster(_world, options, plant) { CodeFails = _world.Chance(0.3) };
        _storage = new SharedStorage { IsGivenUp = _cluster.Observer.IsGivenUp };
        _storage.Open();
        _workload = new Workload(seed, _cluster.Context, _storage);
        _programs = [.. _workload.Programs.Select(steps => new DriverProgram(_world.Time, steps))];
        _faults = new Faults(_cluster);
    }

    /// <summary>Plays a seed.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="plant">A mistake to make.</param>
    /// <param name="tells">Whether to write down what happens.</param>
    public static RunOutcome Play(int seed, PlantedFault plant = PlantedFault.None, bool tells = false)
    {
        var start = TimeProvider.System.GetTimestamp();
        SimulatedRun? run = null;
        string? problem = null;

        // What goes on after an await goes on here and now; a test's context would put it on another thread.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            run = new SimulatedRun(seed, plant, tells);
            run.Play();
        }
        catch (SimulationException error)
        {
            problem = error.InnerException is { } inner ? $"{error.Message}\n{inner}" : error.Message;
        }
        catch (Exception error)
        {
            problem = $"The simulation itself failed: {error}";
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
        run?._storage.Close();
        var results = run?._programs.SelectMany(program => program.Results).ToList() ?? [];
        return new RunOutcome(seed, problem, run?._world.Hash ?? 0, run?._world.Text ?? "")
        {
            Jobs = results.Count,
            JobsFailed = results.Count(result => result.Error is not null),
            Tasks = run?._cluster.Observer.TasksLaunched ?? 0,
            Faults = run?._faults.Count ?? 0,
            VirtualTime = run?._world.Time.Now ?? TimeSpan.Zero,
            RealTime = TimeProvider.System.GetElapsedTime(start),
        };
    }

    private static void Check(bool holds, string what)
    {
        if (!holds) throw new SimulationException(what);
    }

    private void Play()
    {
        var expected = Undisturbed();
        while (!_programs.TrueForAll(program => program.IsOver))
        {
            Settle();
            if (StartOne()) continue;
            if (_programs.TrueForAll(program => program.IsOver)) break;
            Check(_world.Time.RunNext(), "Nothing is left to happen, and a job has not ended.");
            Check(_world.Time.Now < Longest, $"A job has not ended after {Longest.TotalMinutes} minutes.");
        }
        CheckResults(expected);
        CheckRest();
        End();
    }

    /// <summary>What the programs give in this process, where nothing fails.</summary>
    private List<string> Undisturbed()
    {
        var storage = new SharedStorage();
        storage.Open();
        using var context = DataflowContext.Local(_cluster.Options with { Threads = 2 });
        var results = new Workload(_world.Seed, context, storage).Programs.SelectMany(steps => steps).Select(step => step.Run()).ToList();
        storage.Close();
        return results;
    }

    /// <summary>Runs what is ready until all programs that run wait for a job.</summary>
    private void Settle()
    {
        while (true)
        {
            _world.Time.RunReady();
            lock (_world.Time.Sync)
            {
                if (_world.Time.HasReady) continue;
                if (_programs.Count(program => program.IsRunning) == _cluster.Context.Loop.JobsUnderWay) return;
                Check(Monitor.Wait(_world.Time.Sync, Patience), $"A program does nothing for {Patience.TotalSeconds} s, though its job has ended.");
            }
        }
    }

    // One at a time: what it submits comes before anything else happens.
    private bool StartOne()
    {
        var program = _programs.Find(program => program is { IsRunning: false, IsOver: false });
        if (program is null) return false;
        _world.Note("program {0} begins step {1}", _programs.IndexOf(program), program.Results.Count);
        program.Go();
        return true;
    }

    private void CheckResults(List<string> expected)
    {
        var results = _programs.SelectMany(program => program.Results).ToList();
        for (var i = 0; i < results.Count; i++)
        {
            var (step, result, error) = results[i];
            if (error is not null)
                CheckFailure(step, error);
            else
                Check(result == expected[i], $"'{step.Name}' (step {i}) gave\n  {result}\nand undisturbed it gives\n  {expected[i]}");
        }
        Check(_storage.WrittenTwice is null, $"Not committed once: {_storage.WrittenTwice}.");
    }

    private void CheckFailure(ProgramStep step, Exception error)
    {
        _world.Note("a job failed");
        _world.Explain(error.Message);

        // Without its numbers there is nothing to collect.
        if (error is NullReferenceException && step.Name == "collect numbered") return;
        Check(error is JobFailedException, $"'{step.Name}' failed without a cause that a user understands: {error}");
        Check(error.Message.Length > 40, $"'{step.Name}' failed and does not say why: {error.Message}");
        var isIndeterminate = error.Message.Contains("do not give the same rows when they run again", StringComparison.Ordinal);
        Check(!_isFair || isIndeterminate, $"'{step.Name}' failed, though much may be tried again: {error.Message}");
        Check(_faults.Count > 0 || _cluster.CodeFails || isIndeterminate, $"'{step.Name}' failed, though nothing went wrong: {error.Message}");
    }

    /// <summary>Once everybody has noticed what happened, nothing is left of it.</summary>
    private void CheckRest()
    {
        Pass(TimeSpan.FromSeconds(60));
        var loop = _cluster.Context.Loop;
        var remembered = loop.Remembered;
        Check(remembered == (0, 0, 0), $"The scheduler remembers {remembered.Jobs} jobs, {remembered.Stages} stages, {remembered.TaskSets} task sets, though nothing runs.");
        Check(_cluster.Backend.RunningCount == 0, $"The driver waits for {_cluster.Backend.RunningCount} attempts, though nothing runs.");
        var alive = _cluster.Executors.Where(executor => !executor.IsDead).ToList();
        foreach (var executor in alive) Check(executor.RunningCount == 0, $"Executor {executor.Id} runs {executor.RunningCount} tasks that nobody waits for.");
        var known = _cluster.Backend.Executors;
        foreach (var executor in known) Check(alive.Exists(one => one.Id == executor), $"The driver counts on executor {executor}, which is dead.");

        for (var shuffle = 0; shuffle < 200; shuffle++) loop.RemoveShuffle(new ShuffleId(shuffle), mayRun: false);
        foreach (var rdd in _workload.Rdds.Where(rdd => rdd.StorageLevel.IsKept))
            loop.Unpersist(rdd.Id);
        Pass(TimeSpan.FromSeconds(30));
        Check(loop.MapOutputs.Count == 0, $"{loop.MapOutputs.Count} shuffles are known after all were removed.");
        foreach (var executor in _cluster.Executors.Where(executor => !executor.IsDead))
        {
            var services = executor.Services;
            Check(services.Shuffles.Count == 0, $"Executor {executor.Id} keeps {services.Shuffles.Count} map outputs that were removed.");
            Check(services.Pool.OutstandingBytes == 0, $"Executor {executor.Id} holds {services.Pool.OutstandingBytes} bytes of native memory.");
            var consumers = services.Memory.Consumers;
            Check(consumers.Count == 0, $"Executor {executor.Id} holds memory: {string.Join(", ", consumers)}.");
        }
    }

    private void Pass(TimeSpan time)
    {
        var end = false;
        _world.Time.After(time, () => end = true);
        while (!end)
        {
            _world.Time.RunReady();
            _world.Time.RunNext();
        }
        _world.Time.RunReady();
    }

    private void End()
    {
        _cluster.EndProgram();
        var ending = _cluster.Context.DisposeAsync().AsTask();
        _world.Time.RunReady();
        Pass(TimeSpan.FromSeconds(40));
        while (!ending.Wait(TimeSpan.FromMilliseconds(1))) _world.Time.RunReady();
        foreach (var machine in _cluster.Machines)
        {
            var files = machine.Worker is { IsDead: false } worker ? worker.Files() : [];
            Check(files.Count == 0, $"Machine {machine.Number} keeps {files.Count} map outputs of a program that has ended, such as {files.FirstOrDefault()}.");
        }
        foreach (var executor in _cluster.Executors) Check(executor.IsDead, $"Executor {executor.Id} lives on after its program has ended.");
        Check(_cluster.Rival is not { RunningCount: > 0 }, $"{_cluster.Rival?.RunningCount} executors of the rival program live on after it has ended.");
        GC.KeepAlive(_workload);
    }
}
