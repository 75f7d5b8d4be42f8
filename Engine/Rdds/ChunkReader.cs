using System.Collections;
using Dataflow.Errors;

namespace Dataflow;

/// <summary>
/// Reads one partition as a sequence of chunks: one virtual call a chunk instead of one an element. It is the one extension point of
/// execution: sources, operators, shuffles and caches all read and give chunks.
/// </summary>
/// <remarks>
/// <para><b>Who owns what until when.</b> The memory behind a chunk belongs to the reader and is valid until the next
/// <see cref="TryRead"/> or <see cref="Dispose()"/>; whoever keeps elements copies them out. Elements that are ordinary objects may be
/// kept. Elements that own memory themselves (column batches) are lent with the chunk: the reader that made them takes them back at
/// the next call, and whoever keeps one longer takes its own lease first. So an operator holds at most one chunk of each input.</para>
/// <para><b>Length.</b> The source decides: about 1,024 small elements, or one column batch. Operators neither gather chunks nor hold
/// elements back to fill one; a chunk is never empty. Where chunks
/// end means nothing: the retry of a task may cut the same elements otherwise, and must write the same bytes.</para>
/// <para><b>Use.</b> A reader is used by one thread, once, and is disposed by who asked for it, also when reading stops early.
/// Cancellation is checked at each chunk of a source.</para>
/// </remarks>
/// <typeparam name="T">The element type.</typeparam>
public abstract class ChunkReader<T> : IDisposable
{
    /// <summary>Length of a chunk of small elements, in elements.</summary>
    public const int DefaultLength = 1024;

    private bool _disposed;

    /// <summary>A reader without elements.</summary>
    public static ChunkReader<T> Empty { get; } = new MemoryReader(default);

    /// <summary>Gets the next chunk.</summary>
    /// <param name="chunk">At least one element, valid until the next call.</param>
    /// <returns>False at the end; every later call gives false too.</returns>
    public abstract bool TryRead(out ReadOnlySpan<T> chunk);

    /// <summary>Gives back what the reader holds. Safe to call twice.</summary>
    public void Dispose()
    {
        // A reader has several owners at times: the iterator over it and the reader over that. In a long chain each would go down to the end.
        if (_disposed) return;
        _disposed = true;
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what the reader holds, its inputs included. Called once.</summary>
    /// <param name="disposing">True when called from <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing) { }

    /// <summary>The elements one by one: the edge to user code that wants an iterator. Disposing the enumerator disposes the reader.</summary>
    public IEnumerable<T> AsEnumerable() => new ReaderEnumerable(this);

    /// <summary>A reader over elements that are already there, lent in place in chunks of at most <paramref name="length"/>.</summary>
    /// <param name="items">The elements; not copied.</param>
    /// <param name="length">Longest chunk, in elements; the default lends all in pieces small enough to check for cancellation.</param>
    public static ChunkReader<T> From(ReadOnlyMemory<T> items, int length = 4 * DefaultLength) => new MemoryReader(items, length);

    /// <summary>A reader over an iterator, gathered into chunks of <see cref="DefaultLength"/>.</summary>
    /// <param name="items">Read once; its enumerator is disposed with the reader.</param>
    /// <param name="owner">Disposed with the reader; usually the reader that <paramref name="items"/> pulls from.</param>
    public static ChunkReader<T> From(IEnumerable<T> items, IDisposable? owner = null) => items switch
    {
        T[] array when owner is null => new MemoryReader(array),
        _ => new EnumerableReader(items, owner),
    };

    private sealed class MemoryReader(ReadOnlyMemory<T> items, int length = 4 * DefaultLength) : ChunkReader<T>
    {
        private int _position;

        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            var count = Math.Min(length, items.Length - _position);
            if (count <= 0)
            {
                chunk = default;
                return false;
            }
            chunk = items.Span.Slice(_position, count);
            _position += count;
            return true;
        }
    }

    private sealed class EnumerableReader(IEnumerable<T> items, IDisposable? owner) : ChunkReader<T>
    {
        // Chunks start small, so that First over a slow iterator does not wait for a thousand elements.
        private T[] _buffer = new T[32];
        private IEnumerator<T>? _enumerator;
        private bool _ended;

        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            chunk = default;
            if (_ended) return false;
            _enumerator ??= items.GetEnumerator();
            if (_enumerator is null) throw new VerbException("The iterator's GetEnumerator returned null. Return an empty sequence where a partition has nothing to give.");

            var buffer = _buffer;
            var count = 0;
            while (count < buffer.Length)
            {
                if (!_enumerator.MoveNext())
                {
                    _ended = true;
                    break;
                }
                buffer[count++] = _enumerator.Current;
            }
            chunk = buffer.AsSpan(0, count);
            if (buffer.Length < DefaultLength && count == buffer.Length) _buffer = new T[Math.Min(DefaultLength, count * 4)];
            return count > 0;
        }

        protected override void Dispose(bool disposing)
        {
            _ended = true;
            _enumerator?.Dispose();
            owner?.Dispose();
        }
    }

    private sealed class ReaderEnumerable(ChunkReader<T> reader) : IEnumerable<T>, IEnumerator<T>
    {
        private T[] _chunk = [];
        private int _count;
        private int _next;
        private bool _taken;

        public T Current { get; private set; } = default!;

        object? IEnumerator.Current => Current;

        public IEnumerator<T> GetEnumerator()
        {
            if (_taken) throw new VerbException("A partition can be iterated once. Copy it with ToList to go over it again.");
            _taken = true;
            return this;
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public bool MoveNext()
        {
            if (_next == _count && !Refill()) return false;
            Current = _chunk[_next++];
            return true;
        }

        public void Reset() => throw new NotSupportedException("A partition can be iterated once.");

        public void Dispose() => reader.Dispose();

        // Copied because a span can't outlive the call.
        private bool Refill()
        {
            if (!reader.TryRead(out var chunk)) return false;
            if (_chunk.Length < chunk.Length) _chunk = new T[chunk.Length];
            chunk.CopyTo(_chunk);
            _count = chunk.Length;
            _next = 0;
            return true;
        }
    }
}
