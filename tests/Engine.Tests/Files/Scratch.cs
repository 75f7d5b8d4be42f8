using System.Text;
using Dataflow.Files;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Files;

/// <summary>A folder of its own, gone with the test; and partitions computed in this thread, without a scheduler.</summary>
internal sealed class Scratch : IDisposable
{
    public Scratch(DataflowOptions? options = null)
    {
        Folder = System.IO.Directory.CreateTempSubdirectory("dataflow-files-").FullName;
        Options = (options ?? DataflowOptions.Default) with { TempFolder = System.IO.Path.Combine(Folder, ".temp") };
        Context = DataflowContext.Local(Options);
        Services = new ExecutorServices(default, default, Options);
    }

    public string Folder { get; }

    public DataflowOptions Options { get; }

    public DataflowContext Context { get; }

    public ExecutorServices Services { get; }

    /// <summary>Names of all files below the folder, but not those of the engine's temp folder.</summary>
    public string[] Names => [.. Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
        .Select(file => file[(Folder.Length + 1)..]).Where(name => !name.StartsWith(".temp")).Order(StringComparer.Ordinal)];

    public string this[string name] => System.IO.Path.Combine(Folder, name);

    public string Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[name])!);
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public TaskContext Task(int partition = 0, int attempt = 0, int id = 0, ExecutorServices? services = null) =>
        new(new TaskDescription(new(id == 0 ? partition * 10 + attempt : id), default, default, 0, partition, attempt), services ?? Services);

    /// <summary>The elements of each partition.</summary>
    public List<T>[] Partitions<T>(Rdd<T> rdd) => [.. rdd.Partitions.Select(partition => Read(rdd, partition))];

    public List<T> Read<T>(Rdd<T> rdd) => [.. Partitions(rdd).SelectMany(part => part)];

    public List<T> Read<T>(Rdd<T> rdd, Partition partition)
    {
        using var task = Task(partition.Index);
        using var reader = rdd.Read(partition, task);
        var items = new List<T>();
        while (reader.TryRead(out var chunk))
        {
            Assert.False(chunk.IsEmpty);
            items.AddRange(chunk);
        }
        Assert.False(reader.TryRead(out _));
        return items;
    }

    public void Dispose()
    {
        Services.Dispose();
        Context.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
