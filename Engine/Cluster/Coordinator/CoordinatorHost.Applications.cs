using System.Security.Cryptography;

namespace Dataflow.Cluster;

// What programs say, and people about them.
internal sealed partial class CoordinatorHost
{
    private void HandleApplication(ApplicationEntry application, CoordinatorPeer peer, ControlMessage message)
    {
        switch (message)
        {
            case WantExecutors want:
                application.Wish = want.Wanted;
                foreach (var each in _workers.Values) TellIfTooSmall(each, application);
                _dirty = true;
                break;
            case ExecutorReady ready:
                if (application.Executors.TryGetValue(ready.Executor, out var executor)) application.Worked(executor);
                break;
            case ApplicationBeat beat: application.Load = beat; break;
            case ReleaseExecutor release: Release(application, release); break;
            case HandedOver done:
                if (_workers.TryGetValue(done.Worker, out var worker)) worker.Peer?.Channel.Send(done with { Application = application.Name });
                break;
            case ApplicationEnded ended: End(application, ended.Reason); break;
            default: _ = peer.Channel.CloseAsync($"{message.GetType().Name} is nothing that a program says"); break;
        }
    }

    private void Register(CoordinatorPeer peer, RegisterApplication register)
    {
        if (register.Version != _settings.Version)
        {
            Refuse(peer, $"The program '{register.Title}' runs Dataflow {register.Version}, the coordinator {_settings.Version}: "
                + "install the same version of the dataflow tool there, or build the program with the coordinator's.");
            return;
        }
        if (!ScopeName.IsValid(register.Application) || register.Application == ScopeName.Cluster)
        {
            Refuse(peer, $"'{register.Application}' is no name of an application.");
            return;
        }
        if (_endedApplications.Has(register.Application))
        {
            Refuse(peer, $"The application {register.Application} has ended here.");
            return;
        }
        var secret = ClusterToken.Import(peer.Channel.Unseal(register.Secret));
        if (!_applications.TryGetValue(register.Application, out var application))
        {
            _applications.Add(register.Application, application = new ApplicationEntry(register.Application, _order++));
        }
        else if (application.Secret is { } before && !CryptographicOperations.FixedTimeEquals(before.Export(), secret.Export()))
        {
            Refuse(peer, $"There is another application {register.Application} already.");
            return;
        }
        else if (application.Peer is not null && register.Epoch <= application.Registration!.Epoch)
        {
            Refuse(peer, $"The application {register.Application} has a newer link.");
            return;
        }
        var old = application.Peer;
        application.Register(peer, register, secret, Now() + _settings.ApplicationPatience);
        peer.Application = application;
        if (old is not null) _ = old.Channel.CloseAsync("the program made another link");
        Log("application-joined", application.Name, $"{register.Title}, link {register.Epoch}, {register.Executors.Count} executors, driver at {register.DriverUrl}");

        peer.Channel.Send(new ApplicationRegistered(register.Epoch, _settings.HeartbeatInterval));
        foreach (var worker in _workers.Values) Introduce(worker, application);
        if (application.Executors.Count > 0) peer.Channel.Send(new GrantExecutors(application.Name, [.. application.Executors.Values.Select(GrantOf)]));
        _dirty = true;
    }

    private static void Introduce(WorkerEntry worker, ApplicationEntry application)
    {
        application.Peer?.Channel.Send(NewsOf(worker, WorkerChangeKind.Joined, null));
        TellIfTooSmall(worker, application);
        TellIfDraining(worker, application);
    }

    // A program that only workers spoke of so far: if it is still there, it dials in soon.
    private void Expect(string application)
    {
        if (_applications.ContainsKey(application)) return;
        _applications.Add(application, new ApplicationEntry(application, _order++) { MissedAt = Now() + _settings.ApplicationPatience });
    }

    private static void TellIfTooSmall(WorkerEntry worker, ApplicationEntry application)
    {
        var (wish, offer) = (application.Wish, worker.Offer);
        var lack = offer.Cores < wish.Cores ? $"it offers {offer.Cores} cores, and an executor is to have {wish.Cores}"
            : offer.MemoryBytes < wish.MemoryBytes ? $"it offers {offer.MemoryBytes:N0} bytes of memory, and an executor is to have {wish.MemoryBytes:N0}"
            : wish.Resources.Where(need => CountOf(offer, need.Key) < need.Value).Select(need => $"it offers {CountOf(offer, need.Key)} {need.Key}, and an executor is to have {need.Value}").FirstOrDefault();
        if (lack is not null) application.Peer?.Channel.Send(NewsOf(worker, WorkerChangeKind.TooSmall, lack));
    }

    private static int CountOf(RegisterWorker offer, string resource) => offer.Resources.TryGetValue(resource, out var addresses) ? addresses.Count : 0;

    private void Release(ApplicationEntry application, ReleaseExecutor release)
    {
        application.Claimed.Remove(release.Executor);
        if (!application.Executors.TryGetValue(release.Executor, out var executor) || executor.IsStopping) return;
        executor.IsStopping = true;
        application.GaveBack(executor);
        executor.Worker.Peer?.Channel.Send(new StopExecutor(application.Name, release.Executor, release.Reason));
        Log("executor-released", $"{application.Name}/{release.Executor}", release.Reason);
    }

    // What no worker came back with is lost: others may take its place.
    private void DropClaims(ApplicationEntry application)
    {
        application.Claimed.Clear();
        application.ClaimedUntil = null;
        _dirty = true;
    }

    private void End(ApplicationEntry application, string reason)
    {
        if (!_applications.Remove(application.Name)) return;
        _endedApplications.Add(application.Name);
        _dirty = true;
        Log("application-ended", application.Name, reason);

        // All workers, for its files may be where its executors were. What these hold is free when they have ended.
        foreach (var worker in _workers.Values) worker.Peer?.Channel.Send(new ApplicationEnded(application.Name, reason));
        foreach (var executor in application.Executors.Values) executor.IsStopping = true;
        if (application.Peer is not { } peer) return;
        application.Peer = null;
        _ = peer.Channel.CloseAsync(reason);
    }

    private void Kill(CoordinatorPeer peer, KillApplication kill)
    {
        if (!_applications.TryGetValue(kill.Application, out var application))
        {
        {
            var known = _applications.Count == 0 ? "none" : string.Join(", ", _applications.Keys.Order(StringComparer.Ordinal));
            peer.Channel.Send(new Refused($"There is no application {kill.Application} here. There are: {known}."));
        }
            return;
        }
        application.Peer?.Channel.Send(new Shutdown(kill.Reason));
        End(application, kill.Reason);
        peer.Channel.Send(new ApplicationEnded(kill.Application, kill.Reason));
    }

    private StatusAnswer Status() => new(
        _settings.Version,
        [
            .. _workers.Values.OrderBy(worker => worker.Offer.Name, StringComparer.Ordinal).Select(worker => new WorkerStatus(
                worker.Number, worker.Offer.Name, worker.Offer.Host, worker.Offer.Cores, worker.FreeCores, worker.Offer.MemoryBytes, worker.FreeMemoryBytes,
                worker.IsDraining, [.. worker.Offer.Resources.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new ResourceStatus(pair.Key, pair.Value.Count, worker.Free(pair.Key)))])),
        ],
        [
            .. _applications.Values.OrderBy(application => application.Order).Select(application => new ApplicationStatus(
                application.Name, application.Registration?.Title ?? "", application.Registration?.DriverUrl ?? "", application.Executors.Count, application.Cores, application.Load)),
        ]);
}
