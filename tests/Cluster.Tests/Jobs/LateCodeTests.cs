using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Loader;
using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>Assemblies that a program loads while it runs, from elsewhere than its own folder, reach the executors when they need them.</summary>
public sealed class LateCodeTests
{
    [Fact]
    public async Task An_assembly_loaded_late_and_one_beside_it_that_it_needs_arrive_on_demand()
    {
        using var folder = new TempDirectory();
        var suffix = Guid.NewGuid().ToString("N");
        var inner = Emit(folder.Path, $"Inner{suffix}", body => body.Emit(OpCodes.Add));
        var outer = Emit(folder.Path, $"Outer{suffix}", body => body.Emit(OpCodes.Call, inner));
        var twice = AssemblyLoadContext.Default.LoadFromAssemblyPath(Path.Combine(folder.Path, $"Outer{suffix}.dll"))
            .GetType($"Outer{suffix}")!.GetMethod("Of")!.CreateDelegate<Func<int, int, int>>();
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            name.Name == $"Inner{suffix}" ? context.LoadFromAssemblyPath(Path.Combine(folder.Path, $"Inner{suffix}.dll")) : null;
        Assert.NotNull(outer);

        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, TimeSpan.FromMinutes(1));
        Assert.Equal(Enumerable.Range(0, 100).Sum(), context.Parallelize(Enumerable.Range(0, 100), 4).Reduce(twice));
    }

    /// <summary>Writes an assembly with one static method, <c>int Of(int, int)</c>, of a type with the assembly's name.</summary>
    private static MethodInfo Emit(string folder, string name, Action<ILGenerator> operation)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName(name), typeof(object).Assembly);
        var type = assembly.DefineDynamicModule(name).DefineType(name, TypeAttributes.Public | TypeAttributes.Class);
        var method = type.DefineMethod("Of", MethodAttributes.Public | MethodAttributes.Static, typeof(int), [typeof(int), typeof(int)]);
        var body = method.GetILGenerator();
        body.Emit(OpCodes.Ldarg_0);
        body.Emit(OpCodes.Ldarg_1);
        operation(body);
        body.Emit(OpCodes.Ret);
        type.CreateType();
        assembly.Save(Path.Combine(folder, $"{name}.dll"));
        return method;
    }
}
