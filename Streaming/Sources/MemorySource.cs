using System.Globalization;
using Dataflow.Sql.Records;
using Dataflow.Sql.Sources;

namespace Dataflow.Streaming;

/// <summary>A stream of objects that the program adds: for tests, and for rows that need not outlive the process.</summary>
/// <remarks>Everything that was added is kept, for queries that begin later, until the source is dropped. Thread-safe. A checkpoint that outlives the process finds its rows gone, which is
/// an error.</remarks>
/// <typeparam name="T">A record, a class, a tuple, or a plain value, whose column is called <c>value</c>.</typeparam>
public sealed class MemorySource<T> : IStreamSource
{
    private readonly DataflowContext _context;
    private readonly Lock _lock = new();
    private readonly List<T[]> _added = [];
    private readonly int _mostRows;

    /// <summary>Makes it without rows.</summary>
    /// <param name="context">Where queries run.</param>
    /// <param name="maxRowsPerTrigger">A batch takes no more of what was added at once than makes so many rows; what one <see cref="Add(IEnumerable{T})"/> added stays together.</param>
    /// <exception cref="QueryException">A property has a type that SQL does not have; says which.</exception>
    public MemorySource(DataflowContext context, int maxRowsPerTrigger = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRowsPerTrigger, 1);
        (_context, _mostRows) = (context, maxRowsPerTrigger);
        Schema = RecordShape<T>.Find().Schema;
    }

    /// <inheritdoc/>
    public string Name => $"objects of {typeof(T).Name}";

    /// <inheritdoc/>
    public Schema Schema { get; }

    /// <summary>Adds rows, which come into one batch.</summary>
    /// <param name="rows">Copied.</param>
    public void Add(IEnumerable<T> rows)
    {
        T[] copy = [.. rows];
        if (copy.Length == 0) return;
        lock (_lock) _added.Add(copy);
    }

    /// <inheritdoc cref="Add(IEnumerable{T})"/>
    public void Add(params T[] rows) => Add((IEnumerable<T>)rows);

    /// <inheritdoc/>
    public IStreamReader Open(string folder) => new Reader(this);

    private sealed class Reader(MemorySource<T> source) : IStreamReader
    {
        public ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellationToken)
        {
            lock (source._lock)
            {
                var (end, rows, most) = (Number(start), 0L, Math.Min(mostRows, source._mostRows));
                while (end < source._added.Count && (rows == 0 || rows + source._added[end].Length <= most)) rows += source._added[end++].Length;
                return new(end == Number(start) ? start : end.ToString(CultureInfo.InvariantCulture));
            }
        }

        public ITable Read(string? start, string end)
        {
            T[] rows;
            lock (source._lock)
            {
                if (Number(end) > source._added.Count)
                    throw new StreamingException("STREAM_ROWS_GONE", $"The checkpoint goes on behind {end} additions to {source.Name}, and this process has made {source._added.Count}. Rows in memory go with their process: begin anew with another checkpoint.");
                var added = source._added[Number(start)..Number(end)];
                rows = added.Count == 1 ? added[0] : new T[added.Sum(each => each.Length)];
                var next = 0;
                foreach (var each in added)
                {
                    if (added.Count > 1) each.CopyTo(rows, next);
                    next += each.Length;
                }
            }
            return new RecordTable<T>(source._context.Parallelize(rows, 0), rows.Length);
        }

        public void Dispose() { }

        private static int Number(string? offset) => offset is null ? 0 : int.Parse(offset, CultureInfo.InvariantCulture);
    }
}
