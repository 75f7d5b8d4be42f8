namespace Dataflow.Cluster;

/// <summary>Serves the files of one application to other workers: those that it consists of, and no others that happen to be here.</summary>
/// <param name="stage">Has them.</param>
/// <param name="files">What the application consists of.</param>
internal sealed class StagedFiles(FileStage stage, IReadOnlyList<CodeFile> files) : IBlockProvider
{
    private readonly HashSet<string> _hashes = [.. files.Select(file => file.Hash)];

    public ServedBlock? Open(BlockName name, bool near) => name.Kind == BlockKind.Code && _hashes.Contains(name.Hash!) ? stage.Open(name.Hash!) : null;
}
