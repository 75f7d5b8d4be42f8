namespace Dataflow.Cluster;

/// <summary>The files of an application in bundles that travel as one: small files together, a large one alone. The coordinator speaks of a bundle by its position.</summary>
internal static class CodeBundles
{
    /// <summary>A bundle is full with so many bytes.</summary>
    public const long BundleBytes = 4 << 20;

    /// <summary>Bundles files. Who has the same list gets the same bundles.</summary>
    public static IReadOnlyList<IReadOnlyList<CodeFile>> Of(IEnumerable<CodeFile> files)
    {
        var bundles = new List<IReadOnlyList<CodeFile>>();
        var bundle = new List<CodeFile>();
        var bytes = 0L;
        foreach (var file in files.DistinctBy(file => file.Hash))
        {
            bundle.Add(file);
            bytes += file.Length;
            if (bytes < BundleBytes) continue;
            bundles.Add(bundle);
            (bundle, bytes) = ([], 0);
        }
        if (bundle.Count > 0) bundles.Add(bundle);
        return bundles;
    }
}
