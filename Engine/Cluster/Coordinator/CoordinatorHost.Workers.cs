using Dataflow.Scheduling;

namespace Dataflow.Cluster;

// What workers say.
internal sealed partial class CoordinatorHost
{
    private void HandleWorker(WorkerEntry worker, CoordinatorPeer peer, ControlMessage message)
    {
        switch (message)
        {
            case WantFiles want: OnWantFiles(worker, want); break;
            case GotFiles got: OnGotFiles(worker, got); break;
            case ExecutorExited exited: OnExited(worker, exited); break;
            case Drain drain: OnDrain(worker, drain); break;
            default: _ = peer.Channel.CloseAsync($"{message.GetType().Name} is nothing that a worker says"); break;
        }
    }

    private void Register(CoordinatorPeer peer, RegisterWorker register)
    {
        if (register.Version != _settings.Version)
        {
            Refuse(peer, $"The worker {register.Name} runs Dataflow {register.Version}, the coordinator {_settings.Version}: install the same version of the dataflow tool on both.");
            return;
        }
        if (register.Cores < 1 || register.MemoryBytes < 1)
        {
            Refuse(peer, $"The worker {register.Name} offers {register.Cores} cores and {register.MemoryBytes} bytes of memory; it must offer some of both.");
            return;
        }
        var known = _workers.Values.FirstOrDefault(worker => worker.Offer.Name == register.Name);
        if (known is not null && known.Number == register.Worker)
        {
            Return(known, peer, register);
            return;
        }
        if (known is not null)
        {
            // For good: two that took turns would never end.
            known.Peer?.Refuse($"another worker of the name {register.Name} registered: give each one a name of its own");
            Forget(known, "a worker of the same name registered");
        }

        // What ran on a worker that was given up is lost to its programs: it begins anew, under another number.
        var isForgotten = register.Worker is not { } before || _goneWorkers.Has(before) || _workers.ContainsKey(before);
        var number = isForgotten ? NewNumber() : register.Worker!.Value;
        var worker = new WorkerEntry(number, register, _order++) { Peer = peer };
        _workers.Add(number, worker);
        peer.Worker = worker;
        peer.Channel.Send(new WorkerRegistered(number, register.Epoch));
        foreach (var running in register.Executors) Adopt(worker, peer, running, isForgotten ? "its program was told that its worker is gone" : null);
        Log("worker-joined", register.Name, $"{register.Cores} cores, {register.MemoryBytes} bytes, {register.Executors.Count} executors at {peer.Channel.Peer}");
        CheckApplications(worker);
        foreach (var application in _applications.Values) Introduce(worker, application);
        _dirty = true;
    }

    // The same process with another link: what it still runs stays, the rest has ended meanwhile.
    private void Return(WorkerEntry worker, CoordinatorPeer peer, RegisterWorker register)
    {
        var old = worker.Peer;
        worker.Peer = peer;
        worker.MissedAt = null;
        worker.Offer = register;
        peer.Worker = worker;
        if (old is not null) _ = old.Channel.CloseAsync("the worker made another link");
        peer.Channel.Send(new WorkerRegistered(worker.Number, register.Epoch));
        var running = register.Executors.ToDictionary(executor => (executor.Application, executor.Executor));
        foreach (var executor in worker.Executors.Values.Where(executor => !running.ContainsKey((executor.Application, executor.Id))).ToArray())
            Remove(executor, "it ended while its worker was away");
        foreach (var executor in register.Executors) Adopt(worker, peer, executor);
        CheckApplications(worker);
        Log("worker-returned", register.Name, $"{register.Executors.Count} executors at {peer.Channel.Peer}");
        _dirty = true;
    }

    private void Adopt(WorkerEntry worker, CoordinatorPeer peer, RunningExecutor running, string? problem = null)
    {
        if (worker.Executors.TryGetValue((running.Application, running.Executor), out var known))
        {
            // It may not have heard that it was to stop.
            if (known.IsStopping) peer.Channel.Send(new StopExecutor(running.Application, running.Executor, "it was given back"));
            return;
        }
        if (_endedApplications.Has(running.Application)) problem = "the application ended";
        if (problem is null) Expect(running.Application);
        var application = _applications.GetValueOrDefault(running.Application);
        if (application is not null && application.Executors.ContainsKey(running.Executor)) problem = "another worker runs an executor of this number";
        if (problem is not null) peer.Channel.Send(new StopExecutor(running.Application, running.Executor, problem));
        var executor = new GrantedExecutor(running.Application, running.Executor, worker, running.Cores, running.MemoryBytes)
        {
            Resources = new Dictionary<string, IReadOnlyList<string>>(running.Resources),
            IsStopping = problem is not null,
        };

        // Its cores are taken until it has ended.
        worker.Take(executor);
        if (problem is null) application!.Add(executor);
    }

    private void OnExited(WorkerEntry worker, ExecutorExited exited)
    {
        if (!worker.Executors.TryGetValue((exited.Application, exited.Executor), out var executor)) return;
        Remove(executor, exited.Reason);
        if (executor.IsStopping || !_applications.TryGetValue(exited.Application, out var application)) return;
        if (application.Ended(executor, exited.Reason, Now()) is { } reason)
            application.Peer?.Channel.Send(NewsOf(worker, WorkerChangeKind.GivenUp, reason));
    }

    private void OnDrain(WorkerEntry worker, Drain drain)
    {
        worker.Drain = drain with { Worker = worker.Number };
        Log("worker-draining", worker.Offer.Name, $"for {drain.Deadline.TotalSeconds:0.###} s at most");
        foreach (var application in _applications.Values) TellIfDraining(worker, application);
    }

    private static void TellIfDraining(WorkerEntry worker, ApplicationEntry application)
    {
        if (worker.Drain is not { } drain) return;
        application.Peer?.Channel.Send(NewsOf(worker, WorkerChangeKind.Draining, null));
        application.Peer?.Channel.Send(drain);
    }

    // It keeps files of programs that may have ended while it was away, or while there was another coordinator.
    private void CheckApplications(WorkerEntry worker)
    {
        foreach (var name in worker.Offer.Applications)
        {
            if (_endedApplications.Has(name))
                worker.Peer!.Channel.Send(new ApplicationEnded(name, "it ended while the worker was away"));
            else
                Expect(name);
        }
    }

    // Frees what an executor had, and tells its program.
    private void Remove(GrantedExecutor executor, string reason)
    {
        executor.Worker.Return(executor);
        _dirty = true;
        Log("executor-ended", $"{executor.Application}/{executor.Id}", reason);
        if (!_applications.TryGetValue(executor.Application, out var application)) return;
        if (!executor.IsStopping) application.GaveBack(executor);
        executor.GoesTo?.Expect();
        if (application.Executors.GetValueOrDefault(executor.Id) == executor)
        {
            application.Executors.Remove(executor.Id);
            application.Peer?.Channel.Send(new ExecutorExited(executor.Application, executor.Id, null, reason));
        }
    }

    private void Forget(WorkerEntry worker, string reason)
    {
        if (!_workers.Remove(worker.Number)) return;
        _goneWorkers.Add(worker.Number);
        _dirty = true;
        Log("worker-gone", worker.Offer.Name, reason);
        PassOver(worker);
        foreach (var executor in worker.Executors.Values)
        {
            if (_applications.TryGetValue(executor.Application, out var application) && application.Executors.GetValueOrDefault(executor.Id) == executor)
                application.Executors.Remove(executor.Id);
        }
        foreach (var application in _applications.Values)
        {
            application.Forget(worker.Number);
            application.Peer?.Channel.Send(new WorkerGone(worker.Number, reason));
        }
    }

    private WorkerId NewNumber()
    {
        while (true)
        {
            var number = new WorkerId(_settings.Random.Next(1, int.MaxValue));
            if (!_workers.ContainsKey(number) && !_goneWorkers.Has(number)) return number;
        }
    }

    private void Refuse(CoordinatorPeer peer, string reason)
    {
        Log("refused", peer.Channel.Peer, reason);
        peer.Refuse(reason);
    }

    private static WorkerNews NewsOf(WorkerEntry worker, WorkerChangeKind kind, string? reason) => new(
        worker.Number, worker.Offer.Name, worker.Offer.Host, worker.Offer.Cores, worker.Offer.MemoryBytes, kind, reason);
}
