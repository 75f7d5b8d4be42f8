using Dataflow.Compression;
using Dataflow.Sql.Columns;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Sql.ParquetWriting;
using Dataflow.Tasks;

namespace Dataflow.Sql.Parquet;

/// <summary>Writes one Parquet file, row group by row group.</summary>
/// <remarks>Rows wait in memory of the task until their row group is full. A file that was not completed has no footer, and no reader takes it
/// for whole.</remarks>
public sealed class ParquetWriter : IDisposable
{
    private const long RowGroupBytes = 256L << 20;

    private readonly Stream _output;
    private readonly Schema _schema;
    private readonly ParquetWriteOptions _options;
    private readonly TaskContext _task;
    private readonly TaskArena _arena;
    private readonly WrittenColumn[] _columns;
    private readonly ColumnBuffer[] _buffers;
    private readonly ColumnEncoder _encoder;
    private readonly List<(long Rows, WrittenChunk[] Chunks)> _groups = [];
    private long _position;
    private int _rows;
    private bool _isComplete;

    /// <summary>Begins a file.</summary>
    /// <param name="output">Where it is written, from its first byte on; only forward. The caller closes it.</param>
    /// <param name="schema">Its columns.</param>
    /// <param name="task">Whose memory is used.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="QueryException">A column has a type that can't be written.</exception>
    /// <exception cref="ArgumentException">There is no such compression.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Row groups or pages have no rows.</exception>
    public ParquetWriter(Stream output, Schema schema, TaskContext task, ParquetWriteOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(schema);
        ArgumentNullException.ThrowIfNull(task);
        _output = output;
        _schema = schema;
        _options = options ?? new ParquetWriteOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_options.RowGroupRows, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_options.PageRows, nameof(options));
        _task = task;
        _columns = [.. schema.Select(WrittenColumn.Of)];
        var compression = CompressionCodecs.ByName(_options.Compression);
        var codec = compression.Name switch
        {
            "none" => PageCodec.None,
            "snappy" => PageCodec.Snappy,
            "gzip" => PageCodec.Gzip,
            "brotli" => PageCodec.Brotli,
            "zstd" => PageCodec.Zstd,
            "lz4" => PageCodec.Lz4,
            _ => throw new ArgumentException($"Parquet files have no compression '{compression.Name}'. Use snappy, zstd, gzip, lz4, brotli or none.", nameof(options)),
        };
        _arena = new TaskArena(task, "parquet writer");
        _buffers = Array.ConvertAll(_columns, column => new ColumnBuffer(_arena, column, _options.RowGroupRows));
        _encoder = new ColumnEncoder(_arena, _options, codec, compression);
        Write("PAR1"u8);
    }

    /// <summary>Rows written so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Bytes written so far; rows that wait for their row group to be full are not in it.</summary>
    public long BytesWritten => _position;

    /// <summary>Adds the rows of a batch that count.</summary>
    /// <param name="batch">Columns in the order of the schema, and of its types.</param>
    /// <exception cref="QueryException">A row is null in a column that may not be.</exception>
    public void Write(ColumnBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ObjectDisposedException.ThrowIf(_isComplete, this);
        if (batch.Columns.Length != _columns.Length) throw new ArgumentException($"The batch has {batch.Columns.Length} columns, the file {_columns.Length}.", nameof(batch));
        var rows = batch.Selection;
        while (rows.Length > 0)
        {
            var part = rows[..Math.Min(rows.Length, _options.RowGroupRows - _rows)];
            for (var i = 0; i < _buffers.Length; i++) _buffers[i].Add(batch.Columns[i], part);
            _rows += part.Length;
            rows = rows[part.Length..];
            if (_rows == _options.RowGroupRows || _buffers.Sum(buffer => (long)buffer.Values.Length) > RowGroupBytes) EndRowGroup();
        }
        Rows += batch.Alive;
    }

    /// <summary>Writes what waits, and the footer. The file is whole then, and the writer's memory is given back.</summary>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_isComplete, this);
        if (_rows > 0) EndRowGroup();
        WriteIndexes();
        var footer = new ThriftWriter();
        WriteFooter(footer);
        Write(footer.Written);
        Write(BitConverter.GetBytes(footer.Written.Length));
        Write("PAR1"u8);
        Dispose();
    }

    /// <summary>Gives memory back. Safe to call twice.</summary>
    public void Dispose()
    {
        _isComplete = true;
        _arena.Dispose();
    }

    private void EndRowGroup()
    {
        var chunks = new WrittenChunk[_buffers.Length];
        for (var i = 0; i < chunks.Length; i++)
        {
            _task.CancellationToken.ThrowIfCancellationRequested();
            chunks[i] = _encoder.Write(_buffers[i], _output, ref _position);
            _buffers[i].Clear();
        }
        _groups.Add((_rows, chunks));
        _rows = 0;
    }

    // Bloom filters, then indexes of pages, as the format wants them: all behind the data, so that readers find them near the footer.
    private void WriteIndexes()
    {
        var thrift = new ThriftWriter();
        foreach (var chunk in _groups.SelectMany(group => group.Chunks))
        {
            if (chunk.Bloom is not { } blocks) continue;
            thrift.Clear();
            thrift.Int32(1, blocks.Length);
            for (var id = 2; id <= 4; id++)
            {
                thrift.Begin(id);
                thrift.Empty(1);
                thrift.End();
            }
            thrift.End();
            chunk.BloomOffset = _position;
            chunk.BloomBytes = thrift.Written.Length + blocks.Length;
            chunk.Bloom = null;
            Write(thrift.Written);
            Write(blocks);
        }
        if (!_options.WriteStatistics) return;
        foreach (var chunk in _groups.SelectMany(group => group.Chunks))
        {
            thrift.Clear();
            if (!chunk.TryWriteColumnIndex(thrift)) continue;
            chunk.ColumnIndex = (_position, thrift.Written.Length);
            Write(thrift.Written);
        }
        foreach (var chunk in _groups.SelectMany(group => group.Chunks))
        {
            thrift.Clear();
            chunk.WriteOffsetIndex(thrift);
            chunk.OffsetIndex = (_position, thrift.Written.Length);
            Write(thrift.Written);
        }
    }

    private void WriteFooter(ThriftWriter to)
    {
        to.Int32(1, 1);
        to.List(2, ThriftKind.Struct, _columns.Length + 1);
        to.BeginElement();
        to.Text(4, "schema");
        to.Int32(5, _columns.Length);
        to.End();
        foreach (var column in _columns) column.WriteNode(to);
        to.Int64(3, _groups.Sum(group => group.Rows));
        to.List(4, ThriftKind.Struct, _groups.Count);
        for (var i = 0; i < _groups.Count; i++)
        {
            var (rows, chunks) = _groups[i];
            to.BeginElement();
            to.List(1, ThriftKind.Struct, chunks.Length);
            foreach (var chunk in chunks) chunk.Write(to);
            to.Int64(2, chunks.Sum(chunk => chunk.RawBytes));
            to.Int64(3, rows);
            if (chunks.Length > 0) to.Int64(5, chunks[0].DictionaryOffset >= 0 ? chunks[0].DictionaryOffset : chunks[0].Pages[0].Offset);
            to.Int64(6, chunks.Sum(chunk => chunk.Bytes));
            if (i <= short.MaxValue) to.Int16(7, (short)i);
            to.End();
        }
        to.Text(6, "dataflow version 0.1.0");

        // Bounds are in the order of the type, for all columns.
        to.List(7, ThriftKind.Struct, _columns.Length);
        for (var i = 0; i < _columns.Length; i++)
        {
            to.BeginElement();
            to.Empty(1);
            to.End();
        }
        to.End();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _output.Write(bytes);
        _position += bytes.Length;
    }
}
