using Dataflow.Tasks;

namespace Dataflow;

/// <summary>All pairs of two Rdds; partition (i, j) pairs partition i of the left with partition j of the right.</summary>
internal sealed class CartesianRdd<TLeft, TRight> : Rdd<(TLeft Left, TRight Right)>
{
    private readonly Rdd<TLeft> _left;
    private readonly Rdd<TRight> _right;
    private readonly Dependency[] _dependencies;

    public CartesianRdd(Rdd<TLeft> left, Rdd<TRight> right) : base(left.Context, "Cartesian")
    {
        _left = left;
        _right = right;
        _dependencies =
        [
            new ManyToOneDependency(left, i => [i / _right.PartitionCount]),
            new ManyToOneDependency(right, i => [i % _right.PartitionCount]),
        ];
    }

    public override IReadOnlyList<Dependency> Dependencies => _dependencies;

    protected internal override Partition[] GetPartitions()
    {
        var result = new Partition[checked(_left.PartitionCount * _right.PartitionCount)];
        for (var i = 0; i < result.Length; i++)
            result[i] = new CompositePartition(i, [_left.PartitionArray[i / _right.PartitionCount], _right.PartitionArray[i % _right.PartitionCount]]);
        return result;
    }

    protected internal override ChunkReader<(TLeft Left, TRight Right)> Compute(Partition partition, TaskContext context) =>
        new Reader(this, (CompositePartition)partition, context);

    // The right partition is read again for each chunk of the left: nothing is held but one chunk of each.
    private sealed class Reader(CartesianRdd<TLeft, TRight> rdd, CompositePartition partition, TaskContext context)
        : ChunkReader<(TLeft Left, TRight Right)>
    {
        private readonly ChunkReader<TLeft> _left = rdd._left.Read(partition.Parents[0]!, context);
        private readonly (TLeft, TRight)[] _output = new (TLeft, TRight)[DefaultLength];
        private ChunkReader<TRight>? _right;
        private TLeft[] _leftChunk = [];
        private int _leftCount;
        private TRight[] _rightChunk = [];
        private int _rightCount;
        private int _i;
        private int _j;

        public override bool TryRead(out ReadOnlySpan<(TLeft Left, TRight Right)> chunk)
        {
            context.ThrowIfCancelled();
            var filled = 0;
            while (filled < _output.Length)
            {
                if (_j == _rightCount)
                {
                    _j = 0;
                    if (++_i >= _leftCount)
                    {
                        _i = 0;
                        if (!NextRight()) break;
                    }
                }
                var take = Math.Min(_rightCount - _j, _output.Length - filled);
                var left = _leftChunk[_i];
                for (var k = 0; k < take; k++) _output[filled + k] = (left, _rightChunk[_j + k]);
                _j += take;
                filled += take;
            }
            chunk = _output.AsSpan(0, filled);
            return filled > 0;
        }

        protected override void Dispose(bool disposing)
        {
            _right?.Dispose();
            _left.Dispose();
        }

        private bool NextRight()
        {
            while (true)
            {
                if (_right is not null && _right.TryRead(out var right))
                {
                    Keep(right, ref _rightChunk, out _rightCount);
                    return true;
                }
                _right?.Dispose();
                _right = null;
                _rightCount = 0;
                if (!_left.TryRead(out var left)) return false;
                Keep(left, ref _leftChunk, out _leftCount);
                _right = rdd._right.Read(partition.Parents[1]!, context);
            }
        }

        private static void Keep<T>(ReadOnlySpan<T> chunk, ref T[] buffer, out int count)
        {
            if (buffer.Length < chunk.Length) buffer = new T[chunk.Length];
            chunk.CopyTo(buffer);
            count = chunk.Length;
        }
    }
}
