using System.Buffers;
using Dataflow.Files;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Checkpoints;

/// <summary>Groups of an aggregate as the files of a partition have them: keys and states, whatever the functions are.</summary>
/// <param name="Share">The share of the hashes that the groups were put away with; -1 where they were in memory.</param>
/// <param name="Span">The span of times.</param>
/// <param name="Batch">Keys and states; lent until the next.</param>
internal readonly record struct StoredGroups(int Share, long Span, ColumnBatch Batch)
{
    /// <summary>Reads the groups that are there. What was in memory has each group once; what was put away may have it again, with what it had before: states add up, in this order.</summary>
    /// <param name="side">The columns.</param>
    /// <param name="folder">Where the files lie.</param>
    /// <param name="chain">The files, the oldest first.</param>
    /// <param name="context">The task.</param>
    /// <remarks>Takes memory for the keys of what was in memory, and a frame.</remarks>
    public static IEnumerable<StoredGroups> Read(StateSide side, string folder, string[] chain, TaskContext context)
    {
        using var arena = new TaskArena(context, "state read");
        var reader = new FrameReader(arena, side.Types());
        var (ended, runs) = (new HashSet<long>(), new List<StateRun>());
        var newest = new Newest(arena, side.KeyTypes());
        for (var i = chain.Length - 1; i >= 0; i--)
        {
            var drops = new HashSet<long>();
            if (StateChain.IsPutAway(chain[i]))
            {
                runs.Insert(0, StateRun.Open(FilePath.Combine(folder, chain[i]), ended, drops));
            }
            else
            {
                foreach (var (kind, span, bytes) in StateFile.Read(FilePath.Combine(folder, chain[i])))
                {
                    context.ThrowIfCancelled();
                    if (kind == StateFile.Dropped) drops.Add(span);
                    if (kind == StateFile.Dropped || ended.Contains(span)) continue;
                    using var frame = new PinnedFrame(bytes);
                    var batch = frame.Read(reader);
                    if (newest.Keep(span, batch)) yield return new(-1, span, batch);
                }
            }

            // What came before a span was dropped is not there any more.
            ended.UnionWith(drops);
        }
        try
        {
            foreach (var span in runs.SelectMany(run => run.Spans).Distinct().Order())
            {
                for (var share = 0; share < StateRun.Shares; share++)
                {
                    foreach (var bytes in runs.SelectMany(run => run.Read(span, share)))
                    {
                        context.ThrowIfCancelled();
                        using var frame = new PinnedFrame(bytes);
                        yield return new(share, span, frame.Read(reader));
                    }
                }
            }
        }
        finally
        {
            foreach (var run in runs) run.Rest();
        }
    }

    /// <summary>Keeps bytes in place while a batch points at them.</summary>
    private readonly struct PinnedFrame(ReadOnlyMemory<byte> bytes) : IDisposable
    {
        private readonly MemoryHandle _pin = bytes.Pin();

        public ColumnBatch Read(FrameReader reader) => reader.Read(bytes.Span);

        public void Dispose() => _pin.Dispose();
    }

    /// <summary>Knows the groups that were met: files are read from the newest on.</summary>
    private sealed unsafe class Newest(TaskArena arena, ValueList<DataType> keys)
    {
        private readonly Dictionary<long, KeyTable?> _met = [];
        private readonly ulong[] _mask = GC.AllocateArray<ulong>(ColumnBatch.MaxRows / 64, pinned: true);
        private readonly int[] _numbers = new int[ColumnBatch.MaxRows];

        /// <summary>Leaves the groups in a batch that were not met.</summary>
        /// <returns>Whether there are any.</returns>
        public bool Keep(long span, ColumnBatch batch)
        {
            if (keys.Count == 0) return _met.TryAdd(span, null);
            if (!_met.TryGetValue(span, out var table)) _met.Add(span, table = KeyTable.For(arena, keys));
            var before = table!.Count;
            var rows = batch.Selection;
            table.FindOrAdd(batch.Columns.AsSpan(0, keys.Count), rows, _numbers);
            fixed (ulong* mask = _mask)
            {
                Bits.Zero(mask, batch.Rows);
                for (var i = 0; i < rows.Length; i++)
                {
                    if (_numbers[i] >= before) Bits.Set(mask, rows[i]);
                }
                batch.Set(batch.Rows, mask);
            }
            return batch.Alive > 0;
        }
    }
}
