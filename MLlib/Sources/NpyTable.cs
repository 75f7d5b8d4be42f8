using System.Numerics;
using System.Runtime.CompilerServices;
using Dataflow.MLlib.Data;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;
using Microsoft.Win32.SafeHandles;

namespace Dataflow.MLlib.Sources;

/// <summary>An array of NumPy as a table: a row of the array is a row, as columns <c>f0, f1 ...</c> or as one vector column.</summary>
/// <remarks>Read in pieces, by all tasks at once; never whole in memory. On a cluster the path must be on storage that all workers see.</remarks>
internal sealed class NpyTable : ITable
{
    // A piece that is worth a task.
    private const long LeastSplitBytes = 4 << 20;

    private readonly NpyFile _features;
    private readonly NpyFile? _labels;
    private readonly NpyOptions _options;
    private readonly int _parallelism;

    public NpyTable(string path, NpyOptions options, int parallelism)
    {
        _features = NpyFile.Open(path);
        _options = options;
        _parallelism = parallelism;
        var type = _features.IsSingle ? DataType.Float : DataType.Double;
        List<Field> fields = options.VectorColumn is { } vector
            ? [new Field(vector, DataType.Vector, Nullable: false)]
            : [.. Enumerable.Range(0, _features.Columns).Select(i => new Field($"f{i}", type, Nullable: false))];
        if (options.Labels is { } labels)
        {
            _labels = NpyFile.Open(labels);
            if (_labels.Columns != 1 || _labels.Rows != _features.Rows)
                throw new InvalidDataException($"'{labels}' has {_labels.Rows} x {_labels.Columns} numbers, and the {_features.Rows} rows of '{path}' need one label each.");
            fields.Add(new Field(options.LabelColumn, DataType.Double, Nullable: false));
        }
        Schema = new Schema(fields.ToArray());
        Statistics = new TableStatistics(_features.Rows, _features.Rows * _features.RowBytes);
    }

    public string Name => _features.Path;

    public Schema Schema { get; }

    public TableStatistics Statistics { get; }

    public ITableScan Scan(ScanRequest request)
    {
        var bytes = _features.Rows * _features.RowBytes;
        var count = (int)Math.Clamp(_options.Partitions > 0 ? _options.Partitions : Math.Min(bytes / LeastSplitBytes, Math.Max(_parallelism * 2L, bytes / (64 << 20))), 1, Math.Max(1, _features.Rows));
        var splits = new TableSplit[count];
        for (var i = 0; i < count; i++)
        {
            var first = (long)((Int128)_features.Rows * i / count);
            splits[i] = new Rows(first, (long)((Int128)_features.Rows * (i + 1) / count) - first);
        }
        return new NpyScan(_features, _labels, _options.VectorColumn is not null, request.Fields, Schema, splits);
    }

    private sealed record Rows(long First, long Count) : TableSplit(Count, []);

    private sealed class NpyScan(NpyFile features, NpyFile? labels, bool isVector, ValueList<int> fields, Schema schema, TableSplit[] splits) : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => splits;

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) =>
            new Reader((Rows)split, features, labels, isVector, fields, schema, context);
    }

    private sealed unsafe class Reader : BatchReader
    {
        private const int MostBytes = 1 << 20;

        private readonly NpyFile _features;
        private readonly NpyFile? _labels;
        private readonly bool _isVector;
        private readonly ValueList<int> _fields;
        private readonly TaskArena _arena;
        private readonly FlatVector[] _vectors;
        private readonly ColumnBatch _batch;
        private readonly SafeFileHandle _file;
        private readonly SafeFileHandle? _labelFile;
        private readonly byte[] _buffer;
        private readonly int _mostRows;
        private readonly TextHeap _heap;
        private long _next;
        private readonly long _end;

        public Reader(Rows split, NpyFile features, NpyFile? labels, bool isVector, ValueList<int> fields, Schema schema, TaskContext context)
        {
            _features = features;
            _labels = labels;
            _isVector = isVector;
            _fields = fields;
            (_next, _end) = (split.First, split.First + split.Count);
            _file = File.OpenHandle(features.Path);
            _labelFile = labels is null ? null : File.OpenHandle(labels.Path);
            _arena = new TaskArena(context, "npy");
            _heap = new TextHeap(_arena);
            _vectors = [.. fields.Select(field => new FlatVector(_arena, schema[field].Type))];
            _batch = new ColumnBatch([.. _vectors.Select(vector => vector.Vector)]);
            _mostRows = Math.Clamp(MostBytes / Math.Max(1, features.RowBytes), 64, ColumnBatch.MaxRows);
            _buffer = GC.AllocateUninitializedArray<byte>(_mostRows * Math.Max(8, features.RowBytes));
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _batch;
            var rows = (int)Math.Min(_mostRows, _end - _next);
            if (rows <= 0) return false;
            _heap.Clear();
            var label = _isVector ? 1 : _features.Columns;
            if (_fields.Any(field => field < label)) _features.Read(_file, _next, _buffer.AsSpan(0, rows * _features.RowBytes));
            fixed (byte* source = _buffer)
            {
                for (var i = 0; i < _fields.Count; i++)
                {
                    if (_fields[i] == label) continue;
                    if (_isVector) WriteVectors(source, rows, (StringView*)_vectors[i].Data);
                    else _features.CopyColumn(source, _fields[i], rows, _vectors[i].Data);
                }
                if (_fields.IndexOf(label) is >= 0 and var at && _labels is not null)
                {
                    _labels.Read(_labelFile!, _next, new Span<byte>(source, rows * _labels.RowBytes));
                    _labels.CopyDoubles(source, rows, (double*)_vectors[at].Data);
                }
            }
            foreach (var vector in _vectors) vector.Set(rows, hasNulls: false);
            _batch.Set(rows);
            _next += rows;
            return true;
        }

        public override void Dispose()
        {
            _file.Dispose();
            _labelFile?.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        private void WriteVectors(byte* source, int rows, StringView* to)
        {
            var single = _features.IsSingle;
            var length = VectorView.LengthOf(single ? VectorView.Singles : VectorView.Doubles, _features.Columns);
            for (var row = 0; row < rows; row++)
            {
                var bytes = _heap.Allocate(length);
                bytes[0] = single ? VectorView.Singles : VectorView.Doubles;
                if (single) new ReadOnlySpan<byte>(source + ((nint)row * _features.RowBytes), length - 1).CopyTo(new Span<byte>(bytes + 1, length - 1));
                else _features.CopyRow(source, row, bytes + 1);
                to[row] = StringView.Of(bytes, length);
            }
        }
    }
}

/// <summary>Where the numbers of a file are, and what they are. Travels to executors.</summary>
/// <param name="Path">The file.</param>
/// <param name="Type">NumPy's name of the type of its numbers.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Numbers of a row.</param>
/// <param name="Start">Where the numbers begin, in bytes.</param>
internal sealed record NpyFile(string Path, string Type, long Rows, int Columns, long Start)
{
    /// <summary>Bytes of a number.</summary>
    public int Width => Type[^1] - '0';

    /// <summary>Bytes of a row.</summary>
    public int RowBytes => Columns * Width;

    /// <summary>Whether numbers are 32-bit floating point; others are read as 64-bit.</summary>
    public bool IsSingle => Type == "<f4";

    /// <summary>Looks at a file.</summary>
    /// <exception cref="InvalidDataException">It is no array of numbers, or cut short.</exception>
    public static NpyFile Open(string path)
    {
        using var file = File.OpenRead(path);
        var (type, rows, columns) = Npy.ReadHeader(file, path);
        if (type is not ("<f4" or "<f8" or "|u1" or "|i1" or "<i2" or "<u2" or "<i4" or "<u4" or "<i8" or "<u8"))
            throw new InvalidDataException($"'{path}' holds '{type}'. Numbers of 8 to 64 bits, little-endian, can be read.");
        var found = new NpyFile(System.IO.Path.GetFullPath(path), type, rows, checked((int)columns), file.Position);
        if (file.Length - found.Start < rows * found.RowBytes)
            throw new InvalidDataException($"'{path}' is cut short: its header says {rows} x {columns} numbers, {rows * found.RowBytes:N0} bytes, and {file.Length - found.Start:N0} follow.");
        return found;
    }

    /// <summary>Reads rows as they lie.</summary>
    public void Read(SafeFileHandle file, long row, Span<byte> to)
    {
        for (var at = 0; at < to.Length;)
        {
            var read = RandomAccess.Read(file, to[at..], Start + (row * RowBytes) + at);
            if (read == 0) throw new InvalidDataException($"'{Path}' became shorter while it was read.");
            at += read;
        }
    }

    /// <summary>Copies a column, as float or double.</summary>
    public unsafe void CopyColumn(byte* rows, int column, int count, byte* to)
    {
        var from = rows + ((nint)column * Width);
        if (!IsSingle)
        {
            Convert(from, RowBytes, count, (double*)to);
            return;
        }
        for (var i = 0; i < count; i++) ((float*)to)[i] = Unsafe.ReadUnaligned<float>(from + ((nint)i * RowBytes));
    }

    /// <summary>Copies the only column, as double.</summary>
    public unsafe void CopyDoubles(byte* rows, int count, double* to) => Convert(rows, RowBytes, count, to);

    /// <summary>Copies a row, as doubles.</summary>
    public unsafe void CopyRow(byte* rows, int row, byte* to) => Convert(rows + ((nint)row * RowBytes), Width, Columns, (double*)to);

    private unsafe void Convert(byte* from, int step, int count, double* to)
    {
        switch (Type)
        {
            case "<f4": Convert<float>(from, step, count, to); break;
            case "<f8": Convert<double>(from, step, count, to); break;
            case "|u1": Convert<byte>(from, step, count, to); break;
            case "|i1": Convert<sbyte>(from, step, count, to); break;
            case "<i2": Convert<short>(from, step, count, to); break;
            case "<u2": Convert<ushort>(from, step, count, to); break;
            case "<i4": Convert<int>(from, step, count, to); break;
            case "<u4": Convert<uint>(from, step, count, to); break;
            case "<i8": Convert<long>(from, step, count, to); break;
            default: Convert<ulong>(from, step, count, to); break;
        }
    }

    private static unsafe void Convert<S>(byte* from, int step, int count, double* to) where S : unmanaged, INumberBase<S>
    {
        for (var i = 0; i < count; i++) Unsafe.WriteUnaligned(to + i, double.CreateTruncating(Unsafe.ReadUnaligned<S>(from + ((nint)i * step))));
    }
}
