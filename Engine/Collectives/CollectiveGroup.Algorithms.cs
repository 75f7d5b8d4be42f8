using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dataflow.Collectives;

// Which bytes go where. Whatever the way, an element is reduced in the order of the tasks, so the ways give the same bits.
public sealed partial class CollectiveGroup
{
    // Bytes of a message at most.
    private const int LargestPart = 1 << 20;

    // Larger vectors are cut in shares, one for each task; smaller ones go whole, in fewer messages.
    private const int LargestWhole = 128 << 10;

    // More tasks than these would wait for the one that reduces.
    private const int MostAtFirst = 8;

    private int Bound(int task, int length) => (int)((long)length * task / TaskCount);

    private void AllReduce<T, TFold>(Span<T> values, TFold fold, TimeSpan? timeout)
        where T : unmanaged
        where TFold : struct, IFold<T>
    {
        var bytes = (long)values.Length * Unsafe.SizeOf<T>();
        Begin(CollectiveCall.AllReduce, bytes, timeout);
        if (TaskCount == 1) return;
        foreach (var (piece, part) in Pieces(values.Length, Unsafe.SizeOf<T>()))
        {
            PostPiece<T>(values[piece], part);
            FinishPiece(values[piece], fold, part);
        }
    }

    /// <summary>The pieces that a vector is reduced in, and the first of the two parts that each is sent as.</summary>
    private IEnumerable<(Range Piece, int Part)> Pieces(int length, int size)
    {
        var most = Math.Max(1, LargestPart / size) * (long)(TaskCount > 2 ? TaskCount : 1);
        for (int start = 0, part = 0; start < length || part == 0; part += 2)
        {
            var end = (int)Math.Min(start + most, length);
            yield return (start..end, part);
            start = end;
        }
    }

    private bool IsReducedAtFirst => TaskCount > 2 && TaskCount <= MostAtFirst && _length <= LargestWhole;

    /// <summary>Sends what others need of a piece to reduce it. Two tasks swap all they have; of more, each sends the others their shares, or all to the first.</summary>
    private void PostPiece<T>(ReadOnlySpan<T> piece, int part)
        where T : unmanaged
    {
        if (TaskCount == 2) Post(1 - TaskIndex, part, MemoryMarshal.AsBytes(piece));
        else if (!IsReducedAtFirst) PostShares(piece, 0, piece.Length, part);
        else if (TaskIndex > 0) Post(0, part, MemoryMarshal.AsBytes(piece));
    }

    /// <summary>Reduces a piece with what the others sent.</summary>
    private void FinishPiece<T, TFold>(Span<T> piece, TFold fold, int part)
        where T : unmanaged
        where TFold : struct, IFold<T>
    {
        if (TaskCount == 2)
        {
            ReduceSwapped(piece, fold, part);
        }
        else if (IsReducedAtFirst)
        {
            ReduceAtFirst(piece, fold, part);
        }
        else
        {
            ReduceShare(piece, 0, piece.Length, fold, part);
            SpreadShares(MemoryMarshal.AsBytes(piece), Unsafe.SizeOf<T>(), part + 1);
        }
    }

    private Range ReduceScatter<T, TFold>(Span<T> values, TFold fold, TimeSpan? timeout)
        where T : unmanaged
        where TFold : struct, IFold<T>
    {
        Begin(CollectiveCall.ReduceScatter, (long)values.Length * Unsafe.SizeOf<T>(), timeout);

        foreach (var (start, most, part) in ShareParts<T>(values.Length))
        {
            PostShares<T>(values, start, most, part);
            ReduceShare(values, start, most, fold, part);
        }
        return ShareOf(TaskIndex, values.Length);
    }

    /// <summary>Each of two tasks reduces what it has and what the other sent.</summary>
    private void ReduceSwapped<T, TFold>(Span<T> values, TFold fold, int part)
        where T : unmanaged
        where TFold : struct, IFold<T>
    {
        using var message = Take(1 - TaskIndex, part, MemoryMarshal.AsBytes(values).Length);
        var theirs = MemoryMarshal.Cast<byte, T>(message.Bytes);
        if (TaskIndex == 0)
        {
            fold.Take(values, theirs);
            return;
        }
        using var first = new Lent<T>(theirs);
        fold.Take(first.Span, values);
        first.Span.CopyTo(values);
    }

    /// <summary>Task 0 reduces what all sent, and sends the result to all.</summary>
    private void ReduceAtFirst<T, TFold>(Span<T> values, TFold fold, int part)
        where T : unmanaged
        where TFold : struct, IFold<T>
    {
        var bytes = MemoryMarshal.AsBytes(values);
        if (TaskIndex > 0)
        {
            using var result = Take(0, part + 1, bytes.Length);
            result.Bytes.CopyTo(bytes);
            return;
        }
        for (var from = 1; from < TaskCount; from++)
        {
            using var message = Take(from, part, bytes.Length);
            fold.Take(values, MemoryMarshal.Cast<byte, T>(message.Bytes));
        }
        PostToAll(part + 1, bytes);
    }

    /// <summary>The parts that all shares are cut in.</summary>
    private IEnumerable<(int Start, int Most, int Part)> ShareParts<T>(int length)
    {
        // Shares differ by one element at most, so the last is the largest.
        var most = Math.Max(1, LargestPart / Unsafe.SizeOf<T>());
        var largest = (length + TaskCount - 1) / TaskCount;
        for (int start = 0, part = 0; (start < largest || part == 0) && TaskCount > 1; start += most, part++) yield return (start, most, part);
    }

    /// <summary>Sends each other task a piece of its share.</summary>
    private void PostShares<T>(ReadOnlySpan<T> values, int start, int most, int part)
        where T : unmanaged
    {
        for (var step = 1; step < TaskCount; step++)
        {
            var to = (TaskIndex + step) % TaskCount;
            Post(to, part, MemoryMarshal.AsBytes(values[PieceOf(to, values.Length, start, most)]));
        }
    }

    /// <summary>Each task was sent a piece of its share by all others, and reduces it.</summary>
    private void ReduceShare<T, TFold>(Span<T> values, int start, int most, TFold fold, int part)
        where T : unmanaged
        where TFold : struct, IFold<T>
    {
        var mine = values[PieceOf(TaskIndex, values.Length, start, most)];
        if (TaskIndex == 0)
        {
            FoldFrom(1, mine);
            return;
        }
        using var first = Take(0, part, MemoryMarshal.AsBytes(mine).Length);
        using var sum = new Lent<T>(MemoryMarshal.Cast<byte, T>(first.Bytes));
        FoldFrom(1, sum.Span, mine);
        sum.Span.CopyTo(mine);

        void FoldFrom(int from, Span<T> into, ReadOnlySpan<T> own = default)
        {
            for (; from < TaskCount; from++)
            {
                if (from == TaskIndex)
                {
                    fold.Take(into, own);
                    continue;
                }
                using var message = Take(from, part, into.Length * Unsafe.SizeOf<T>());
                fold.Take(into, MemoryMarshal.Cast<byte, T>(message.Bytes));
            }
        }
    }

    private Range PieceOf(int task, int length, int start, int most)
    {
        var (first, end) = (Bound(task, length), Bound(task + 1, length));
        first = Math.Min(first + start, end);
        return first..(int)Math.Min(first + (long)most, end);
    }

    /// <summary>Each task sends its share to all others.</summary>
    private void SpreadShares(Span<byte> values, int size, int part)
    {
        var length = values.Length / size;
        var mine = ShareOf(TaskIndex, length);
        PostToAll(part, values[(mine.Start.Value * size)..(mine.End.Value * size)]);
        for (var step = 1; step < TaskCount; step++)
        {
            var from = (TaskIndex + step) % TaskCount;
            var share = ShareOf(from, length);
            var into = values[(share.Start.Value * size)..(share.End.Value * size)];
            using var message = Take(from, part, into.Length);
            message.Bytes.CopyTo(into);
        }
    }

    private void BroadcastWhole(Span<byte> values, int root)
    {
        if (TaskIndex == root)
        {
            PostToAll(0, values);

            // Otherwise a root that calls again and again would fill the memory of others.
            for (var from = 0; from < TaskCount; from++)
            {
                if (from != root) Take(from, 1, 0).Dispose();
            }
            return;
        }
        using (var message = Take(root, 0, values.Length)) message.Bytes.CopyTo(values);
        Post(root, 1, []);
    }

    private void BroadcastShares(Span<byte> values, int root)
    {
        var most = LargestPart * (long)TaskCount;
        for (int start = 0, part = 0; start < values.Length; part += 2)
        {
            var piece = values.Slice(start, (int)Math.Min(most, values.Length - start));
            if (TaskIndex == root)
            {
                for (var to = 0; to < TaskCount; to++)
                {
                    if (to != root) Post(to, part, piece[ShareOf(to, piece.Length)]);
                }
            }
            else
            {
                var mine = piece[ShareOf(TaskIndex, piece.Length)];
                using var message = Take(root, part, mine.Length);
                message.Bytes.CopyTo(mine);
            }
            SpreadShares(piece, 1, part + 1);
            start += piece.Length;
        }
    }

    /// <summary>A copy in an array of the pool.</summary>
    private readonly ref struct Lent<T>
    {
        private readonly T[] _array;

        public Lent(ReadOnlySpan<T> values)
        {
            _array = ArrayPool<T>.Shared.Rent(values.Length);
            Span = _array.AsSpan(0, values.Length);
            values.CopyTo(Span);
        }

        public Span<T> Span { get; }

        public void Dispose() => ArrayPool<T>.Shared.Return(_array);
    }
}
