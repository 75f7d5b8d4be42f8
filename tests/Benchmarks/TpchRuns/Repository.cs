namespace Dataflow.Benchmarks.TpchRuns;

/// <summary>Where the clone is that this program was built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dataflow.sln"))) return folder.FullName;
        }
        throw new DirectoryNotFoundException($"There is no Dataflow.sln above '{AppContext.BaseDirectory}'. Run the benchmarks from a clone.");
    }
}
