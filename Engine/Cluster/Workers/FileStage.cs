using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Dataflow.Cluster;

/// <summary>
/// The files of applications by content hash, on disk: each is fetched once, and checked, however many executors need it. They come in bundles from
/// whom the coordinator names, another worker or the driver; a source that has something else, or does not deliver, is told of and passed over.
/// </summary>
/// <param name="reader">Fetches files.</param>
/// <param name="cache">Where they are kept.</param>
internal sealed class FileStage(RemoteBlockReader reader, string cache)
{
    // The driver itself could not give a bundle so often: it is not to be had.
    private const int MostFailures = 2;

    // Another worker that is slower than this is worse than the driver.
    private const double PeerBytesPerSecond = 1 << 20;

    private static readonly TimeSpan PeerPatience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new(StringComparer.Ordinal);

    /// <summary>Puts files into a folder, under their own names.</summary>
    /// <param name="folder">Made by this call.</param>
    /// <param name="files">What belongs there.</param>
    /// <param name="driver">Who has them all.</param>
    /// <param name="sources">Knows who else has them.</param>
    /// <exception cref="ClusterException">A file can't be had, or belongs outside the folder.</exception>
    public async Task FillAsync(string folder, IReadOnlyList<CodeFile> files, BlockSource driver, FileSources sources)
    {
        Directory.CreateDirectory(cache);
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        Directory.CreateDirectory(root);

        // What one executor of an application fetches the next one has.
        var turn = _turns.GetOrAdd(driver.Scope, static _ => new SemaphoreSlim(1));
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            await FetchAsync(CodeBundles.Of(files), driver, sources).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
        foreach (var file in files)
        {
            var path = Path.GetFullPath(Path.Combine(root, file.Path));
            if (!path.StartsWith(root, StringComparison.Ordinal))
                throw new ClusterException($"The driver named a file '{file.Path}' that would lie outside the folder of its application.");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(CachePath(file.Hash), path, overwrite: true);
        }
    }

    /// <summary>Opens a file for another worker; null if it is not here. A hash is looked up, and was parsed as one.</summary>
    public ServedBlock? Open(string hash) => File.Exists(CachePath(hash)) ? ServedBlock.Of(File.ReadAllBytes(CachePath(hash))) : null;

    /// <summary>An application has ended.</summary>
    public void Forget(string application) => _turns.TryRemove(application, out _);

    private async Task FetchAsync(IReadOnlyList<IReadOnlyList<CodeFile>> bundles, BlockSource driver, FileSources sources)
    {
        var application = driver.Scope;
        var failures = 0;
        while (true)
        {
            var here = Enumerable.Range(0, bundles.Count).Where(bundle => Lacking(bundles[bundle]).Length == 0).ToArray();
            if (here.Length == bundles.Count)
            {
                sources.Offer(application, here);
                return;
            }
            if (await sources.AskAsync(application, here).ConfigureAwait(false) is not { Bundle: { } next } answer || next < 0 || next >= bundles.Count)
            {
                if (await FetchAsync(Lacking(bundles.SelectMany(bundle => bundle)), driver, CancellationToken.None).ConfigureAwait(false) is { } lacks) throw new ClusterException(lacks);
                continue;
            }
            var source = answer.Source is null ? driver : Uri.TryCreate(answer.Source, UriKind.Absolute, out var peer) ? driver with { Server = peer } : null;
            var lacking = Lacking(bundles[next]);
            using var patience = new CancellationTokenSource(
                source == driver ? Timeout.InfiniteTimeSpan : PeerPatience + TimeSpan.FromSeconds(lacking.Sum(file => file.Length) / PeerBytesPerSecond), sources.Time);
            var problem = source is null ? $"'{answer.Source}' is no address" : await FetchAsync(lacking, source, patience.Token).ConfigureAwait(false);
            sources.Got(application, next, problem is null);
            if (problem is not null && answer.Source is null && ++failures == MostFailures) throw new ClusterException(problem);
        }
    }

    private CodeFile[] Lacking(IEnumerable<CodeFile> files) => [.. files.Where(file => !File.Exists(CachePath(file.Hash)))];

    /// <summary>Fetches files.</summary>
    /// <returns>Why not all could be had, or null.</returns>
    private async Task<string?> FetchAsync(CodeFile[] files, BlockSource source, CancellationToken patience)
    {
        var names = Array.ConvertAll(files, file => BlockName.Code(file.Hash));
        try
        {
            await foreach (var block in reader.FetchAsync(source, names, new BytesInFlight(), patience).ConfigureAwait(false))
            {
                using (block)
                {
                    var file = files[block.Index];
                    if (block.Failure is not null) return $"The file {file.Path} of the application could not be fetched from {source.Server}: {block.Problem}";
                    var bytes = block.ToArray();
                    if (Convert.ToHexStringLower(SHA256.HashData(bytes)) != file.Hash)
                        return $"The file {file.Path} of the application arrived from {source.Server} with another content than its driver announced.";

                    // Under another name first: a half-written file must never be found by its hash.
                    var half = $"{CachePath(file.Hash)}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
                    await File.WriteAllBytesAsync(half, bytes, CancellationToken.None).ConfigureAwait(false);
                    File.Move(half, CachePath(file.Hash), overwrite: true);
                }
            }
            return null;
        }
        catch (ClusterException error)
        {
            return error.Message;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return $"{source.Server} takes too long";
        }
    }

    // The name was parsed as a hash: 64 hex digits and nothing else.
    private string CachePath(string hash) => Path.Combine(cache, BlockName.Code(hash).Hash!);
}
