namespace Dataflow.TestKit;

/// <summary>A folder of its own for one test, removed with everything in it.</summary>
public sealed class TempDirectory : IDisposable
{
    /// <summary>The full path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("dataflow-test-").FullName;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
