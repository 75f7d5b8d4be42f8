namespace Dataflow.Cluster;

/// <summary>
/// Who gets which part of which worker. Fair among programs: the one with the fewest cores goes first, one executor at a time. What a
/// worker has is never given twice.
/// </summary>
internal static class ExecutorAllocation
{
    /// <summary>Gives what is free to those who want it. Costs programs + workers for each executor.</summary>
    /// <param name="applications">The programs whose links are up.</param>
    /// <param name="workers">The workers whose links are up.</param>
    /// <returns>The new executors, entered with program and worker already.</returns>
    public static List<GrantedExecutor> Grant(IReadOnlyCollection<ApplicationEntry> applications, IReadOnlyCollection<WorkerEntry> workers)
    {
        var granted = new List<GrantedExecutor>();
        var hungry = applications.Where(application => application.Held < application.Wish.Most && !application.IsGiving).ToList();
        if (hungry.Count == 0) return granted;
        var shares = FairShares.Of(applications, workers);

        // What comes free on somebody's behalf is for those who have too little, not for those who are quick.
        if (applications.Any(application => application.IsGiving))
            hungry.RemoveAll(application => application.Cores > 0 && !FairShares.IsBelow(application, application.Cores, shares[application]));
        while (hungry.Count > 0)
        {
            var next = hungry.MinBy(application => (application.Cores, application.Held, application.Order))!;
            var mark = granted.Count;

            // Fewer than the least are of no use: all of them or none, or two programs would wait for each other's half.
            for (var count = Math.Max(1, next.Wish.Least - next.Held); count > 0; count--)
            {
                if (PlaceFor(next, workers) is { } worker)
                {
                    // All that is free, unless others can use some of it.
                    var hasRivals = next.Wish.Cores == 0 && hungry.Any(other => other != next && PlaceFor(other, workers) is not null);
                    granted.Add(Place(next, worker, hasRivals ? Math.Max(1, FairShares.Most(shares[next]) - next.Cores) : int.MaxValue));
                    continue;
                }
                for (; granted.Count > mark; granted.RemoveAt(granted.Count - 1))
                {
                    granted[^1].Worker.Return(granted[^1]);
                    next.TakeBack(granted[^1]);
                }
                hungry.Remove(next);
                break;
            }
            if (next.Held >= next.Wish.Most) hungry.Remove(next);
        }
        return granted;
    }

    // The emptiest, so that a program's executors spread over machines.
    private static WorkerEntry? PlaceFor(ApplicationEntry application, IReadOnlyCollection<WorkerEntry> workers)
    {
        WorkerEntry? best = null;
        foreach (var worker in workers)
        {
            if (Fits(application, worker) && (best is null || (worker.FreeCores, -worker.Order).CompareTo((best.FreeCores, -best.Order)) > 0)) best = worker;
        }
        return best;
    }

    private static bool Fits(ApplicationEntry application, WorkerEntry worker)
    {
        var wish = application.Wish;
        if (worker.Peer is null || worker.IsDraining || worker.FreeCores < Math.Max(1, wish.Cores) || application.GaveUp(worker.Number)) return false;
        return worker.FreeMemoryBytes >= MemoryOf(wish, worker, wish.Cores > 0 ? wish.Cores : worker.FreeCores) && wish.Resources.All(resource => worker.Free(resource.Key) >= resource.Value);
    }

    private static long MemoryOf(ExecutorWish wish, WorkerEntry worker, int cores) => wish.MemoryBytes > 0 ? wish.MemoryBytes : worker.ShareOfMemory(cores);

    private static GrantedExecutor Place(ApplicationEntry application, WorkerEntry worker, int most)
    {
        var wish = application.Wish;
        var cores = wish.Cores > 0 ? wish.Cores : Math.Min(worker.FreeCores, most);
        var executor = new GrantedExecutor(application.Name, application.NewExecutor(), worker, cores, MemoryOf(wish, worker, cores))
        {
            Resources = worker.Choose(wish, cores),
        };
        worker.Take(executor);
        application.Add(executor);
        return executor;
    }
}
