namespace Dataflow.Cluster;

/// <summary>Executors that a program is asked to give back, for another one that has less.</summary>
/// <param name="From">Who has more.</param>
/// <param name="For">Who has less, and wants some.</param>
/// <param name="Any">Executors of which some will do.</param>
/// <param name="Count">How many of them.</param>
internal sealed record FairReturn(ApplicationEntry From, ApplicationEntry For, IReadOnlyList<GrantedExecutor> Any, int Count)
{
    /// <summary>Cores of each.</summary>
    public int Cores => Any[0].Cores;
}

/// <summary>
/// How many cores each program is due, and whose executors are asked back where one has more than that and another less. Shares are max-min
/// fair: who wants less than an equal part gets that, the others divide the rest.
/// </summary>
/// <remarks>
/// Nobody is asked below its share, so that what was moved is never moved back; only for a program that has nothing at all may it be less. For
/// such a one an executor that has all of a worker is cut up too: its own program begins anew on what is left of the worker.
/// </remarks>
internal static class FairShares
{
    /// <summary>Cores that each program is due; no whole numbers.</summary>
    public static Dictionary<ApplicationEntry, double> Of(IReadOnlyCollection<ApplicationEntry> applications, IReadOnlyCollection<WorkerEntry> workers)
    {
        var sizes = workers.Where(worker => worker.Peer is not null && !worker.IsDraining).Select(worker => worker.Offer.Cores).OrderDescending().ToArray();
        var left = (double)sizes.Sum();
        var shares = new Dictionary<ApplicationEntry, double>();
        var claims = applications.Select(application => (Application: application, Cores: ClaimOf(application.Wish, sizes))).OrderBy(claim => claim.Cores).ToArray();
        for (var i = 0; i < claims.Length; i++)
        {
            var share = Math.Min(claims[i].Cores, left / (claims.Length - i));
            shares.Add(claims[i].Application, share);
            left -= share;
        }
        return shares;
    }

    /// <summary>A share as whole cores. Rounded up for all: who has as much gives nothing, so that remainders do not go round.</summary>
    public static int Most(double share) => (int)Math.Ceiling(share - 1e-9);

    /// <summary>Whether a program with so many cores could have another executor within its share.</summary>
    public static bool IsBelow(ApplicationEntry application, int cores, double share) => cores + Math.Max(1, application.Wish.Cores) <= Most(share);

    /// <summary>Whom to ask for what, so that nobody stays below its share whom another could help. Costs programs x executors for each executor that is asked back.</summary>
    /// <param name="applications">The programs whose links are up.</param>
    /// <param name="workers">The workers.</param>
    /// <param name="until">How long what is asked for is waited for, in the coordinator's time.</param>
    /// <returns>What to ask for, noted with the programs already.</returns>
    public static List<FairReturn> Even(IReadOnlyCollection<ApplicationEntry> applications, IReadOnlyCollection<WorkerEntry> workers, TimeSpan until)
    {
        var asked = new List<FairReturn>();
        if (applications.Count < 2) return asked;
        var shares = Of(applications, workers);
        var soon = applications.ToDictionary(application => application, application => application.CoresSoon);
        foreach (var cores in applications.SelectMany(application => application.Leaving)) Expect(cores);
        var poor = applications.Where(application => application is { Rests: null, Claimed.Count: 0 } && application.Wish.Least - application.Held <= 1).ToList();
        while (poor.Count > 0)
        {
            var next = poor.MinBy(application => (soon[application], application.Order))!;
            if (!LacksOne(next) || Find(next, applications, soon, shares) is not { } found)
            {
                poor.Remove(next);
                continue;
            }
            asked.Add(found);
            found.From.AskedBack(found, until);
            soon[found.From] -= found.Count * found.Cores;
            Expect(found.Count * found.Cores);
        }
        return asked;

        // What comes free goes where it will be granted: to whoever has least.
        void Expect(int cores)
        {
            while (cores > 0 && applications.Where(WantsMore).MinBy(application => (soon[application], application.Order)) is { } first)
            {
                var part = Math.Min(cores, first.Wish.Cores > 0 ? first.Wish.Cores : Math.Max(1, Most(shares[first]) - soon[first]));
                soon[first] += part;
                cores -= part;
            }
        }

        bool WantsMore(ApplicationEntry application) => application.Wish.Cores > 0
            ? soon[application] < (long)application.Wish.Cores * application.Wish.Most
            : application.Held < application.Wish.Most;

        bool LacksOne(ApplicationEntry application) => WantsMore(application)
            && (soon[application] == 0 || IsBelow(application, soon[application], shares[application]));
    }

    private static FairReturn? Find(
        ApplicationEntry poor, IReadOnlyCollection<ApplicationEntry> applications, Dictionary<ApplicationEntry, int> soon, Dictionary<ApplicationEntry, double> shares)
    {
        var hasNothing = soon[poor] == 0;
        foreach (var rich in applications.Where(each => each != poor).OrderByDescending(each => soon[each]).ThenBy(each => each.Order))
        {
            // Its share, unless the other has nothing at all and takes more than one core at once; in any case one.
            var keeps = hasNothing && poor.Wish.Cores > 1 ? 1 : Math.Max(1, Most(shares[rich]));
            foreach (var equals in rich.Spare().GroupBy(executor => executor.Cores).OrderBy(group => group.Key))
            {
                if (Move(poor, rich, [.. equals], (soon[rich] - keeps) / equals.Key) is { } move) return move;
                if (!hasNothing || rich.Wish.Cores > 0) continue;
                var cut = equals.Where(executor => FitsBeside(poor, rich, executor)).ToArray();
                if (cut.Length > 0) return new FairReturn(rich, poor, cut, 1);
            }
        }
        return null;
    }

    private static FairReturn? Move(ApplicationEntry poor, ApplicationEntry rich, GrantedExecutor[] executors, int most)
    {
        if (most < 1) return null;
        var single = executors.Where(executor => Fits(poor, executor.Worker, [executor])).ToArray();
        if (single.Length > 0) return new FairReturn(rich, poor, single, 1);
        foreach (var together in executors.GroupBy(executor => executor.Worker).Select(group => group.ToArray()))
        {
            for (var count = 2; count <= Math.Min(together.Length, most); count++)
            {
                if (Fits(poor, together[0].Worker, together.AsSpan(0, count))) return new FairReturn(rich, poor, together, count);
            }
        }
        return null;
    }

    /// <summary>Whether an executor of a program would fit on a worker if some that are there were gone.</summary>
    private static bool Fits(ApplicationEntry poor, WorkerEntry worker, ReadOnlySpan<GrantedExecutor> gone)
    {
        var wish = poor.Wish;
        if (worker.Peer is null || worker.IsDraining || poor.GaveUp(worker.Number)) return false;
        var (cores, memory) = (worker.FreeCores, worker.FreeMemoryBytes);
        foreach (var executor in gone)
        {
            cores += executor.Cores;
            memory += executor.MemoryBytes;
        }
        if (cores < Math.Max(1, wish.Cores) || memory < (wish.MemoryBytes > 0 ? wish.MemoryBytes : worker.ShareOfMemory(wish.Cores > 0 ? wish.Cores : cores))) return false;
        foreach (var (name, count) in wish.Resources)
        {
            var free = worker.Free(name);
            foreach (var executor in gone) free += executor.Resources.TryGetValue(name, out var addresses) ? addresses.Count : 0;
            if (free < count) return false;
        }
        return true;
    }

    /// <summary>Whether there is room for two where one was.</summary>
    private static bool FitsBeside(ApplicationEntry poor, ApplicationEntry rich, GrantedExecutor executor)
    {
        var part = PartOf(poor, executor.Cores);
        if (part >= executor.Cores || !Fits(poor, executor.Worker, [executor])) return false;
        var memory = executor.Worker.FreeMemoryBytes + executor.MemoryBytes;
        return MemoryOf(poor.Wish, part) + MemoryOf(rich.Wish, executor.Cores - part) <= memory
            && rich.Wish.Resources.All(need => executor.Worker.Free(need.Key) + executor.Resources.GetValueOrDefault(need.Key, []).Count >= need.Value + poor.Wish.Resources.GetValueOrDefault(need.Key));

        long MemoryOf(ExecutorWish wish, int cores) => wish.MemoryBytes > 0 ? wish.MemoryBytes : executor.Worker.ShareOfMemory(cores);
    }

    private static int PartOf(ApplicationEntry poor, int cores) => poor.Wish.Cores > 0 ? poor.Wish.Cores : cores / 2;

    private static long ClaimOf(ExecutorWish wish, int[] sizes) => wish.Cores > 0 ? (long)wish.Cores * wish.Most : sizes.Take(wish.Most).Sum();
}
