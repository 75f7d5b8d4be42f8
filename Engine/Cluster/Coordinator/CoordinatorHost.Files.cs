using Dataflow.Scheduling;

namespace Dataflow.Cluster;

// From whom workers fetch the files of programs: each bundle leaves its driver about once, and goes from worker to worker.
internal sealed partial class CoordinatorHost
{
    private void OnWantFiles(WorkerEntry worker, WantFiles want)
    {
        if (!_applications.TryGetValue(want.Application, out var application) || application.Registration is not { } registration)
        {
            worker.Peer?.Channel.Send(new FilesAt(want.Application, null, null));
            return;
        }
        var swarm = application.Files ??= new BroadcastSwarm(CodeBundles.Of(registration.Files).Count);
        SendFiles(application, swarm.Begin(worker.Number.Value, want.Here));
        SendFiles(application, swarm.Want(worker.Number.Value));
    }

    private void OnGotFiles(WorkerEntry worker, GotFiles got)
    {
        if (_applications.TryGetValue(got.Application, out var application) && application.Files is { } swarm)
            SendFiles(application, swarm.Got(worker.Number.Value, got.Bundle, got.Whole));
    }

    // It may be back soon, and says then what it has.
    private void PassOver(WorkerEntry worker)
    {
        foreach (var application in _applications.Values)
        {
            if (application.Files is { } swarm) SendFiles(application, swarm.Lost(worker.Number.Value));
        }
    }

    private void SendFiles(ApplicationEntry application, IReadOnlyList<PieceGrant> grants)
    {
        foreach (var grant in grants)
        {
            var source = grant.Source is { } peer ? _workers.GetValueOrDefault(new WorkerId(peer))?.Offer.DataUrl : null;
            if (_workers.TryGetValue(new WorkerId(grant.Executor), out var worker)) worker.Peer?.Channel.Send(new FilesAt(application.Name, grant.Piece, source));
        }
    }
}
