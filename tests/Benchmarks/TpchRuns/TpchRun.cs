using Dataflow.Benchmarks.Cluster;
using Dataflow.Sql;

namespace Dataflow.Benchmarks.TpchRuns;

/// <summary>A context that queries run in: of this process, or with executors of their own.</summary>
internal sealed class TpchRun : IAsyncDisposable
{
    private readonly LocalExecutors? _executors;

    private TpchRun(DataflowContext context, LocalExecutors? executors)
    {
        Context = context;
        _executors = executors;
    }

    public DataflowContext Context { get; }

    public static Task<TpchRun> StartAsync(TpchOptions options)
    {
        if (options.Executors > 0)
        {
            var executors = new LocalExecutors(options.Executors, cores: 1);
            return Task.FromResult(new TpchRun(executors.Context, executors));
        }
        var own = DataflowOptions.Default with { Threads = options.Threads, Progress = false };
        if (options.MemoryBytes is { } bytes) own = own with { MemoryBytes = bytes };
        return Task.FromResult(new TpchRun(DataflowContext.Local(own), null));
    }

    public async Task AddAsync(string name, string path, bool isCached)
    {
        var table = Context.Read.Parquet(path);
        table.CreateTempView(name);
        if (isCached) await table.Cache().Agg(Functions.Count()).CollectAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_executors is not null) _executors.Dispose();
        else await Context.DisposeAsync().ConfigureAwait(false);
    }
}
