using System.Collections.Concurrent;
using Dataflow.Shuffle;

namespace Dataflow.Cluster;

/// <summary>
/// The map outputs that a worker serves, whichever executors wrote them: a folder for each application, read under its own secret only,
/// removed when the application ends. The application's files are served beside them.
/// </summary>
/// <param name="server">The worker's port.</param>
/// <param name="root">The folder of all applications.</param>
internal sealed class WorkerShuffles(NodeServer server, string root) : IDisposable
{
    private readonly ConcurrentDictionary<string, ShuffleFolder> _folders = new();

    /// <summary>Where outputs are fetched.</summary>
    public Uri Url => server.Url;

    /// <summary>Serves an application, if it is not served yet.</summary>
    /// <param name="application">Its name: letters, digits and hyphens.</param>
    /// <param name="secret">Its secret.</param>
    /// <param name="files">Serves the files that it consists of.</param>
    /// <returns>Where its executors write.</returns>
    public string Begin(string application, ClusterToken secret, IBlockProvider files)
    {
        ScopeName.Check(application);
        var folder = _folders.GetOrAdd(application, name => new ShuffleFolder(Path.Combine(root, name)));
        server.Admit(application, secret, new Served(files, new MapFileProvider(folder)));
        return folder.Path;
    }

    /// <summary>Serves an application no more, and removes its files.</summary>
    public void End(string application)
    {
        if (!_folders.TryRemove(application, out var folder)) return;
        server.Expel(application);
        folder.Dispose();
        try
        {
            folder.Disk.DeleteFolder(folder.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An executor that does not end may write to it still; it goes with the worker's folder.
        }
    }

    /// <summary>Ends all applications.</summary>
    public void Dispose()
    {
        foreach (var application in _folders.Keys) End(application);
    }

    private sealed class Served(IBlockProvider files, MapFileProvider outputs) : IBlockProvider
    {
        public ServedBlock? Open(BlockName name, bool near) => name.Kind == BlockKind.Code ? files.Open(name, near) : outputs.Open(name, near);

        public bool Drop(BlockName name) => outputs.Drop(name);
    }
}
