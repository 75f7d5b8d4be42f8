using System.Security.Cryptography;

namespace Dataflow.Cluster;

/// <summary>The files of applications by content hash, on disk: each is fetched once, and checked, however many executors need it.</summary>
/// <param name="reader">Fetches files.</param>
/// <param name="cache">Where they are kept.</param>
internal sealed class FileStage(RemoteBlockReader reader, string cache)
{
    /// <summary>Puts files into a folder, under their own names.</summary>
    /// <param name="folder">Made by this call.</param>
    /// <param name="files">What belongs there.</param>
    /// <param name="source">Who has it.</param>
    /// <exception cref="ClusterException">A file can't be had, or belongs outside the folder.</exception>
    public async Task FillAsync(string folder, IReadOnlyList<CodeFile> files, BlockSource source)
    {
        Directory.CreateDirectory(cache);
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        Directory.CreateDirectory(root);
        await FetchAsync([.. files.Where(file => !File.Exists(CachePath(file.Hash))).DistinctBy(file => file.Hash)], source).ConfigureAwait(false);
        foreach (var file in files)
        {
            var path = Path.GetFullPath(Path.Combine(root, file.Path));
            if (!path.StartsWith(root, StringComparison.Ordinal))
                throw new ClusterException($"The driver named a file '{file.Path}' that would lie outside the folder of its application.");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(CachePath(file.Hash), path, overwrite: true);
        }
    }

    private async Task FetchAsync(CodeFile[] files, BlockSource source)
    {
        var names = Array.ConvertAll(files, file => BlockName.Code(file.Hash));
        await foreach (var block in reader.FetchAsync(source, names, new BytesInFlight()).ConfigureAwait(false))
        {
            using (block)
            {
                var file = files[block.Index];
                if (block.Failure is not null) throw new ClusterException($"The file {file.Path} of the application could not be fetched from {source.Server}: {block.Problem}");
                var bytes = block.ToArray();
                if (Convert.ToHexStringLower(SHA256.HashData(bytes)) != file.Hash)
                    throw new ClusterException($"The file {file.Path} of the application arrived with another content than {source.Server} announced.");

                // Under another name first: a half-written file must never be found by its hash.
                var half = $"{CachePath(file.Hash)}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
                await File.WriteAllBytesAsync(half, bytes).ConfigureAwait(false);
                File.Move(half, CachePath(file.Hash), overwrite: true);
            }
        }
    }

    // The name was parsed as a hash: 64 hex digits and nothing else.
    private string CachePath(string hash) => Path.Combine(cache, BlockName.Code(hash).Hash!);
}
