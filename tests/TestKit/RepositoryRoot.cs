namespace Dataflow.TestKit;

/// <summary>Where the sources lie that the tests were built from.</summary>
public static class RepositoryRoot
{
    /// <summary>The folder that holds <c>Dataflow.sln</c>.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Dataflow.sln"))) return folder.FullName;
        }
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Dataflow.sln.");
    }
}
