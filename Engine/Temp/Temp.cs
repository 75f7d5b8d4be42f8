#pragma warning disable
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Dataflow.Scheduling; using Dataflow.Shuffle; using Dataflow.Storage; using Dataflow.Tasks;
namespace Dataflow.Hashing { internal static class TempX { public static int Combine<K,V,C>(this AggregationTable<K,C> t, ReadOnlySpan<(K Key,V Value)> rows, Func<V,C> c, Func<C,V,C> m) { int n = 0; foreach (var r in rows) { if (t.Combine(new[]{(r.Key, t.TryGet(r.Key, out var x) ? m(x, r.Value) : c(r.Value))}, (a,b)=>b) == 0) break; n++; } return n; } }

 internal sealed class GroupTable<TKey,TValue> : IDisposable { Dictionary<(TKey,int),int> d = new(); List<List<TValue>> v = new(); List<TKey> k = new(); public int Count => k.Count; public void Add(ReadOnlySpan<(TKey Key, TValue Value)> rows) { foreach (var r in rows) { if (!d.TryGetValue((r.Key,0), out var g)) { d[(r.Key,0)] = g = k.Count; k.Add(r.Key); v.Add(new()); } v[g].Add(r.Value); } } public void Complete() { } public int Find(TKey key) => d.TryGetValue((key,0), out var g) ? g : -1; public void FindMany(ReadOnlySpan<TKey> keys, Span<int> g) { for (int i = 0; i < keys.Length; i++) g[i] = Find(keys[i]); } public TKey KeyOf(int g) => k[g]; public ReadOnlySpan<TValue> ValuesOf(int g) => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(v[g]); public void Dispose() { } } 
}
namespace Dataflow.Storage { internal static class SizeEstimator { public static long Estimate<T>(ReadOnlySpan<T> s) => s.Length * (long)(Unsafe.SizeOf<T>() + (RuntimeHelpers.IsReferenceOrContainsReferences<T>() ? 32 : 0)); } 
}
namespace Dataflow {
 public sealed partial class DataflowContext {
  ExecutorServices _services; 
  private DataflowContext(DataflowOptions options) { Options = options; _madeAt = CallSite.Here("DataflowContext.Local"); _services = new ExecutorServices(default, default, options) { MapOutputs = new Dict() }; }
  sealed class Dict : IMapOutputs { public ConcurrentDictionary<int, MapStatus[]> D = new(); public MapStatus?[] Get(ShuffleId s) => D[s.Value]; }
  internal void DropBlocks(int rdd) => _services.Blocks.Remove(rdd);
  public async Task<IReadOnlyList<(int Index, R Value)>> RunApproximateJobAsync<T, R>(Rdd<T> rdd, Func<ChunkReader<T>, TaskContext, R> f, TimeSpan timeout, CallSite site, CancellationToken ct) => (await RunJobAsync(rdd, f, null, site, ct)).Select((v, i) => (i, v)).ToArray();
  public Task<R[]> RunJobAsync<T, R>(Rdd<T> rdd, Func<ChunkReader<T>, TaskContext, R> f, IReadOnlyList<int>? parts, CallSite? site, CancellationToken ct) => Task.Run(() => {
    var _ = rdd.Partitions; 
    Lineage.Visit(rdd, r => false, r => { foreach (var d in r.Dependencies) if (d is ShuffleDependency s && !((Dict)_services.MapOutputs).D.ContainsKey(s.ShuffleId.Value)) { var st = new MapStatus[s.Rdd.PartitionCount]; Parallel.For(0, st.Length, new ParallelOptions { MaxDegreeOfParallelism = Options.Threads }, i => { using var c = new TaskContext(new(default, default, default, 0, i, 0), _services); using (c.Enter()) { using var w = new MapOutputWriter(_services.Shuffles, s.ShuffleId, i, s.ReducePartitions, c); s.Write(s.Rdd.Partitions[i], w, c); st[i] = w.Commit(); c.Complete(); c.Accumulators.Merge(); } }); ((Dict)_services.MapOutputs).D[s.ShuffleId.Value] = st; } });
    parts ??= Enumerable.Range(0, rdd.PartitionCount).ToArray(); var res = new R[parts.Count];
    Parallel.For(0, res.Length, new ParallelOptions { MaxDegreeOfParallelism = Options.Threads }, i => { using var c = new TaskContext(new(default, default, default, 0, i, 0), _services); using (c.Enter()) { using var r = rdd.Read(rdd.Partitions[parts[i]], c); res[i] = f(r, c); c.Complete(); c.Accumulators.Merge(); } });
    return res; });
  public void Dispose() { _services.Dispose(); _stoppedAt = CallSite.Here("Dispose"); } public ValueTask DisposeAsync() => default; }
}
