using System.Reflection;
using System.Reflection.Emit;
using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>Programs that need different versions of one library run on one worker at the same time.</summary>
public sealed class LibraryVersionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Two_programs_with_two_versions_of_a_library_share_a_worker()
    {
        var library = $"Library{Guid.NewGuid():N}";
        using var first = Program(library, 1);
        using var second = Program(library, 2);
        var (coordinator, url) = ToolProcess.Coordinator();
        using var _ = coordinator;
        using var worker = new WorkerProcess(url, cores: 2, name: "one");
        var options = new ClusterOptions { ExecutorCores = 1, MaxExecutors = 1, ExecutorMemoryBytes = 256 << 20 };
        await using var a = await DataflowContext.ConnectAsync(url, options with { CodeFolder = first.Path });
        await using var b = await DataflowContext.ConnectAsync(url, options with { CodeFolder = second.Path });
        await Task.WhenAll(a.Cluster.WaitForWorkersAsync(1, Patience), b.Cluster.WaitForWorkersAsync(1, Patience));
        for (var round = 0; round < 3; round++)
        {
            var answers = await Task.WhenAll(VersionsAsync(a), VersionsAsync(b)).WaitAsync(Patience);
            Assert.Equal(["1.0.0.0 says 1"], answers[0]);
            Assert.Equal(["2.0.0.0 says 2"], answers[1]);
        }

        // By name, as the library of this process would be a third one.
        Task<string[]> VersionsAsync(DataflowContext context) => context.Range(0, 4, partitions: 2).Map(_ =>
        {
            var loaded = Assembly.Load(library);
            return $"{loaded.GetName().Version} says {loaded.GetType(library)!.GetMethod("Version")!.Invoke(null, null)}";
        }).Distinct().CollectAsync();
    }

    /// <summary>The folder of a program: what these tests consist of, and a library that says its version.</summary>
    private static TempDirectory Program(string library, int version)
    {
        var folder = new TempDirectory();
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll")) File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        var assembly = new PersistedAssemblyBuilder(new AssemblyName(library) { Version = new Version(version, 0, 0, 0) }, typeof(object).Assembly);
        var type = assembly.DefineDynamicModule(library).DefineType(library, TypeAttributes.Public | TypeAttributes.Class);
        var body = type.DefineMethod("Version", MethodAttributes.Public | MethodAttributes.Static, typeof(int), []).GetILGenerator();
        body.Emit(OpCodes.Ldc_I4, version);
        body.Emit(OpCodes.Ret);
        type.CreateType();
        assembly.Save(Path.Combine(folder.Path, $"{library}.dll"));
        return folder;
    }
}
