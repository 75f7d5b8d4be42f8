using System.Globalization;
using System.Runtime.ExceptionServices;

namespace Dataflow.Streaming.Receivers;

/// <summary>
/// What a receiver took in, written ahead of the batches that read it, since nobody can be asked for it again: records in files of the query's checkpoint, numbered from 0, which are the
/// offsets. One writer puts all that came meanwhile on the disk with one wait; only then may the sender be told that it is kept, and only then does a batch see it. Thread-safe.
/// </summary>
internal sealed class ReceivedLog : IDisposable
{
    // A write, and what a task reads at once.
    private const int MostGroupBytes = 4 << 20;

    private readonly Lock _lock = new();
    private readonly ReceiverOptions _options;
    private readonly TimeProvider _time;
    private readonly ReceivedSegments _segments;
    private readonly List<ReceivedPiece> _pieces = [];
    private readonly Queue<ReceivedGroup> _queue = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Task _writer;
    private ReceivedGroup? _last;
    private ReceivedGroup? _writing;
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _next;
    private long _end;
    private long _unreadBytes;
    private long _memoryBytes;
    private Exception? _failure;
    private Exception? _writeFailure;
    private bool _isClosed;

    /// <summary>Opens a log, new or old, and cuts off what an ended process left unfinished.</summary>
    /// <param name="folder">Its folder, in the query's checkpoint.</param>
    /// <param name="options">Limits, and whether the disk is waited for.</param>
    /// <param name="time">Says when records come; null for the system's clock.</param>
    /// <exception cref="StreamingException">It is damaged.</exception>
    public ReceivedLog(string folder, ReceiverOptions? options = null, TimeProvider? time = null)
    {
        (_options, _time) = (options ?? new(), time ?? TimeProvider.System);
        _segments = new ReceivedSegments(folder, _options, _pieces);
        _next = _end = _segments.End(_pieces);
        _unreadBytes = _pieces.Sum(piece => (long)piece.Length);
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>The number behind the last record that is kept.</summary>
    public long End
    {
        get
        {
            lock (_lock) return _end;
        }
    }

    /// <summary>Bytes that no batch has read yet.</summary>
    public long UnreadBytes
    {
        get
        {
            lock (_lock) return _unreadBytes;
        }
    }

    /// <summary>Done when the next batch that is done has made room, or the log has ended. Taken before an attempt to add, it is waited for after one that found none.</summary>
    public Task Room
    {
        get
        {
            lock (_lock) return _room.Task;
        }
    }

    /// <summary>The oldest record that the receiver must have again after a start: files from there on stay, also when batches have read them.</summary>
    public Func<long> Needed { get; init; } = static () => long.MaxValue;

    /// <summary>Adds a record.</summary>
    /// <returns>Done when it is kept, and failed if it can't be; null, and nothing was added, if too much waits to be read.</returns>
    /// <exception cref="StreamingException">It is too long, or the log has failed.</exception>
    /// <exception cref="ObjectDisposedException">The query has ended.</exception>
    public Task? TryAppend(ReadOnlySpan<byte> record)
    {
        CheckLength(record.Length);
        lock (_lock)
        {
            CheckOpen();
            if (!HasRoom(record.Length)) return null;
            var group = GroupOf();
            Add(group, record, Now());
            return group.Kept;
        }
    }

    /// <summary>Adds records that are kept together or not at all.</summary>
    /// <inheritdoc cref="TryAppend(ReadOnlySpan{byte})"/>
    public Task? TryAppend(IReadOnlyList<ReadOnlyMemory<byte>> records)
    {
        foreach (var record in records) CheckLength(record.Length);
        lock (_lock)
        {
            CheckOpen();
            if (!HasRoom(records.Sum(record => (long)record.Length))) return null;
            if (records.Count == 0) return Task.CompletedTask;
            var (group, now) = (GroupOf(), Now());
            foreach (var record in records) Add(group, record.Span, now);
            return group.Kept;
        }
    }

    /// <summary>Adds a record, once there is room: what waits to be read is bounded.</summary>
    /// <returns>Itself done when the record is added; what it gives, when it is kept.</returns>
    /// <exception cref="StreamingException">It is too long, or the log has failed.</exception>
    /// <exception cref="ObjectDisposedException">The query has ended.</exception>
    public async ValueTask<Task> AppendAsync(ReadOnlyMemory<byte> record, CancellationToken cancellation)
    {
        while (true)
        {
            var room = Room;
            if (TryAppend(record.Span) is { } kept) return kept;
            await room.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until all that was added is kept.</summary>
    public Task FlushAsync()
    {
        lock (_lock)
        {
            if (_writeFailure is { } error) return Task.FromException(error);
            return (_last ?? _queue.LastOrDefault() ?? _writing)?.Kept ?? Task.CompletedTask;
        }
    }

    /// <summary>The receiver can't go on: the query learns it once it has read what came before.</summary>
    public void Fail(Exception error)
    {
        lock (_lock) _failure ??= error;
    }

    /// <summary>As <see cref="IStreamReader.FindEndAsync"/>.</summary>
    /// <exception cref="Exception">What the receiver failed with, when all is read that it took in.</exception>
    public string? FindEnd(string? start, long mostRows)
    {
        lock (_lock)
        {
            var from = Number(start);
            if (from > _end) throw ReceivedPiece.Damaged(_segments.Folder, 0, $"a batch has read {from:N0} records, and only {_end:N0} are there");
            if (from < _end) return (mostRows >= _end - from ? _end : from + mostRows).ToString(CultureInfo.InvariantCulture);
            if ((_writeFailure ?? _failure) is { } error) ExceptionDispatchInfo.Throw(error);
            return start;
        }
    }

    /// <summary>The groups that have the records of a range.</summary>
    /// <exception cref="StreamingException">They are not there (any more).</exception>
    public ReceivedRange Read(string? start, string end)
    {
        lock (_lock)
        {
            var (from, to) = (Number(start), Number(end));
            var first = _pieces.FindIndex(piece => piece.End > from);
            if (to > _end || first < 0 || _pieces[first].First > from)
            {
                throw ReceivedPiece.Damaged(
                    _segments.Folder, 0, $"a batch reads the records {from:N0} to {to:N0}, and only {(_pieces.Count == 0 ? _end : _pieces[0].First):N0} to {_end:N0} are there");
            }
            var last = _pieces.FindIndex(first, piece => piece.End >= to);
            return new ReceivedRange([.. _pieces[first..(last + 1)]], from, to);
        }
    }

    /// <summary>The last records that are there.</summary>
    public ReceivedRecords Last(long most)
    {
        lock (_lock)
        {
            var first = _pieces.FindIndex(piece => piece.End > _end - most);
            return first < 0 ? new ReceivedRecords([], 0, 0) : new ReceivedRecords([.. _pieces[first..]], Math.Max(_pieces[first].First, _end - most), _end);
        }
    }

    /// <summary>As <see cref="IStreamReader.CommitAsync"/>: deletes what was read, and lets more in.</summary>
    public void Commit(string end)
    {
        TaskCompletionSource room;
        long oldest;
        lock (_lock)
        {
            var to = Number(end);
            var read = _pieces.FindIndex(piece => piece.End > to);
            if (read < 0) read = _pieces.Count;
            foreach (var piece in _pieces[..read])
            {
                _unreadBytes -= piece.Length;
                _memoryBytes -= piece.MemoryBytes;
            }
            _pieces.RemoveRange(0, read);
            (room, _room) = (_room, new(TaskCreationOptions.RunContinuationsAsynchronously));
            oldest = _pieces.Count > 0 ? _pieces[0].First : _end;
        }
        _segments.DropBelow(Math.Min(oldest, Needed()));
        room.TrySetResult();
    }

    /// <summary>Writes what was added, and ends. Nothing can be added any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isClosed) return;
            _isClosed = true;
            _room.TrySetResult();
        }
        _wake.Release();
        _writer.GetAwaiter().GetResult();
        _segments.Dispose();
        _wake.Dispose();
    }

    private static long Number(string? offset) => offset is null ? 0 : long.Parse(offset, CultureInfo.InvariantCulture);

    private void CheckOpen()
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        if (_writeFailure is { } error) ExceptionDispatchInfo.Throw(error);
    }

    private void CheckLength(int bytes)
    {
        if (bytes > _options.MaxRecordBytes)
            throw new StreamingException("STREAM_RECORD_TOO_LONG", $"A line or message of {bytes:N0} bytes was received, and MaxRecordBytes of ReceiverOptions allows {_options.MaxRecordBytes:N0}.");
    }

    // Something is always let in where nothing waits.
    private bool HasRoom(long bytes) => _unreadBytes == 0 || _unreadBytes + bytes <= _options.MaxUnreadBytes;

    private long Now() => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    // The one that waits for the disk with what came meanwhile.
    private ReceivedGroup GroupOf()
    {
        if (_last is { Length: < MostGroupBytes } open) return open;
        _last = new ReceivedGroup(_next);
        _queue.Enqueue(_last);
        _unreadBytes += ReceivedGroup.HeaderBytes;
        _wake.Release();
        return _last;
    }

    private void Add(ReceivedGroup group, ReadOnlySpan<byte> record, long now)
    {
        group.Add(record, now);
        _next++;
        _unreadBytes += ReceivedGroup.RecordBytes + record.Length;
    }

    private bool Keep(int bytes)
    {
        lock (_lock) return _memoryBytes + bytes <= _options.MemoryBytes;
    }

    private async Task WriteAsync()
    {
        while (true)
        {
            await _wake.WaitAsync().ConfigureAwait(false);
            ReceivedGroup? group;
            lock (_lock)
            {
                if (!_queue.TryDequeue(out group)) return;
                _writing = group;
                if (group == _last) _last = null;
            }
            try
            {
                var piece = _segments.Append(group, Keep);
                lock (_lock)
                {
                    _pieces.Add(piece);
                    _memoryBytes += piece.MemoryBytes;
                    _end = piece.End;
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Fail(group, new StreamingException(
                    "STREAM_LOG_NOT_WRITTEN", $"What was received could not be written to '{_segments.Folder}': {error.Message} Make room or rights there and start the query again; what was said to be kept is.", error));
                return;
            }
            group.End();
        }
    }

    private void Fail(ReceivedGroup group, StreamingException error)
    {
        ReceivedGroup[] lost;
        TaskCompletionSource room;
        lock (_lock)
        {
            _writeFailure = error;
            lost = [group, .. _queue];
            _queue.Clear();
            room = _room;
        }
        foreach (var each in lost) each.End(error);
        room.TrySetResult();
    }
}
