using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>Executors run the driver's build of everything, whatever the worker has.</summary>
public sealed class VersionTests
{
    [Fact]
    public async Task Other_builds_beside_the_worker_are_not_what_its_executors_run()
    {
        using var folder = new TempDirectory();
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(WorkerProcess.PathOf("dataflow.dll"))!))
            File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));

        // Another build of the engine that works as this one does, and a library that is none.
        var engine = Path.Combine(folder.Path, "Dataflow.Engine.dll");
        var here = typeof(DataflowContext).Module.ModuleVersionId;
        var bytes = File.ReadAllBytes(engine);
        var at = bytes.AsSpan().IndexOf(here.ToByteArray());
        Assert.True(at > 0, "the build's id is in its file");
        Guid.NewGuid().TryWriteBytes(bytes.AsSpan(at));
        File.WriteAllBytes(engine, bytes);
        File.WriteAllText(Path.Combine(folder.Path, "Dataflow.Sql.dll"), "no library");

        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString(), program: Path.Combine(folder.Path, "dataflow.dll"));
        await context.Cluster.WaitForWorkersAsync(1, TimeSpan.FromMinutes(1));
        Assert.Equal([here], context.Range(0, 4).Map(_ => typeof(DataflowContext).Module.ModuleVersionId).Distinct().Collect());
    }
}
