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
        var hungry = applications.Where(application => application.Held < application.Wish.Most).ToList();
        while (hungry.Count > 0)
        {
            var next = hungry.MinBy(application => (application.Cores, application.Held, application.Order))!;
            var mark = granted.Count;

            // Fewer than the least are of no use: all of them or none, or two programs would wait for each other's half.
            for (var count = Math.Max(1, next.Wish.Least - next.Held); count > 0; count--)
            {
                if (PlaceFor(next, workers) is { } worker)
                {
                    granted.Add(Place(next, worker));
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
        return worker.FreeMemoryBytes >= MemoryOf(wish, worker) && wish.Resources.All(resource => worker.Free(resource.Key) >= resource.Value);
    }

    private static long MemoryOf(ExecutorWish wish, WorkerEntry worker) =>
        wish.MemoryBytes > 0 ? wish.MemoryBytes : worker.ShareOfMemory(wish.Cores > 0 ? wish.Cores : worker.FreeCores);

    private static GrantedExecutor Place(ApplicationEntry application, WorkerEntry worker)
    {
        var wish = application.Wish;
        var executor = new GrantedExecutor(
            application.Name, application.NewExecutor(), worker, wish.Cores > 0 ? wish.Cores : worker.FreeCores, MemoryOf(wish, worker))
        {
            Resources = worker.Choose(wish),
        };
        worker.Take(executor);
        application.Add(executor);
        return executor;
    }
}
