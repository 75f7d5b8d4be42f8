using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Fusion;

/// <summary>One partition with given elements, in chunks of a given length; counts what is read and disposed.</summary>
internal sealed class SourceRdd<T>(T[] items, int length = 1024) : Rdd<T>(TestRdds.Context, "Source")
{
    public int ChunksRead { get; private set; }

    public int Disposed { get; private set; }

    public override IReadOnlyList<Dependency> Dependencies => [];

    protected internal override Partition[] GetPartitions() => [new IndexPartition(0)];

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context) => new Reader(this, items, length);

    // Gives each chunk from memory of its own and wipes it at the next call, so that a reader that keeps a chunk too long is found out.
    private sealed class Reader(SourceRdd<T> rdd, T[] items, int length) : ChunkReader<T>
    {
        private T[] _lent = [];
        private int _next;

        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            Array.Clear(_lent);
            var count = Math.Min(length, items.Length - _next);
            chunk = default;
            if (count <= 0) return false;
            _lent = items.AsSpan(_next, count).ToArray();
            _next += count;
            rdd.ChunksRead++;
            chunk = _lent;
            return true;
        }

        protected override void Dispose(bool disposing) => rdd.Disposed++;
    }
}
