namespace Dataflow.Benchmarks.Running;

/// <summary><c>SUITE [--json] [--only NAME] [--quick] [--list]</c>.</summary>
internal static class CommandLine
{
    public static int Run(string[] args, IReadOnlyList<Suite> suites)
    {
        var (json, quick, list) = (false, false, false);
        var only = new List<string>();
        var chosen = new List<Suite>();
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--json": json = true; break;
                case "--quick": quick = true; break;
                case "--list": list = true; break;
                case "--only" when i + 1 < args.Length: only.Add(args[++i]); break;
                case var name when suites.FirstOrDefault(suite => suite.Name == name) is { } suite: chosen.Add(suite); break;
                default: return Usage(args[i], suites);
            }
        }

        if (chosen.Count == 0) return Usage(null, suites);
        var report = new Report(Console.Out, json);
        var session = new Session(quick);
        if (!list) report.Header();
        foreach (var benchmark in chosen.SelectMany(suite => suite.Benchmarks))
        {
            if (only.Count > 0 && !only.Exists(part => benchmark.Name.Contains(part, StringComparison.OrdinalIgnoreCase))) continue;
            if (list) Console.WriteLine(benchmark.Name);
            else Measure(benchmark, session, report);
        }

        return 0;
    }

    private static void Measure(Benchmark benchmark, Session session, Report report)
    {
        try
        {
            foreach (var row in benchmark.Measure(session)) report.Write(row);
        }
        catch (PeerMissingException missing)
        {
            report.Skip(benchmark.Name, missing.Message);
        }

        Session.Collect();
    }

    private static int Usage(string? unknown, IReadOnlyList<Suite> suites)
    {
        if (unknown is not null) Console.Error.WriteLine($"Unknown argument '{unknown}'.");
        Console.Error.WriteLine($"usage: {string.Join('|', suites.Select(suite => suite.Name))} [--json] [--only NAME]... [--quick] [--list]");
        return 2;
    }
}
