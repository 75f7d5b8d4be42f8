using Dataflow.Files;
using Dataflow.Sql.Columns;
using Dataflow.Tasks;

namespace Dataflow.Sql.Writing;

/// <summary>The files that one task writes: one after the other, a folder after the other.</summary>
internal sealed unsafe class TaskFiles : IDisposable
{
    private readonly TaskContext _context;
    private readonly OutputPlan _plan;
    private readonly BatchFormat _format;
    private readonly WrittenRows _rows;
    private readonly TaskOutput _output;
    private readonly TaskArena _arena;
    private readonly ulong* _mask;
    private readonly ColumnBatch? _inFiles;
    private readonly string?[] _values;
    private readonly Dictionary<string, int> _filesOfFolder = new(StringComparer.Ordinal);
    private string _folder = "";
    private OutputFile? _file;
    private BatchFileWriter? _writer;
    private long _rowsOfFile;

    public TaskFiles(OutputPlan plan, BatchFormat format, WrittenRows rows, TaskContext context)
    {
        _context = context;
        _plan = plan;
        _format = format;
        _rows = rows;
        _output = plan.OpenTask(context);
        _arena = new TaskArena(context, "write");
        _mask = (ulong*)_arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
        _values = new string?[rows.Folders.Count];
        if (rows.Folders.Count > 0) _inFiles = new ColumnBatch([.. rows.Schema.Select(field => new ColumnVector(field.Type))]);
    }

    /// <summary>Writes a file even if there are no rows: who reads the folder sees the columns.</summary>
    public void BeginEmpty()
    {
        if (_rows.Folders.Count == 0) Begin();
    }

    public void Write(ColumnBatch batch)
    {
        if (_inFiles is null && !_rows.Options.HasLimits)
        {
            if (_writer is null) Begin();
            _writer!.Write(batch);
            _rowsOfFile += batch.Alive;
            return;
        }
        var selection = batch.Selection;
        for (var at = 0; at < selection.Length;)
        {
            var end = EndOfFolder(batch, selection, at);
            if (_inFiles is not null) Enter(batch, selection[at]);
            while (at < end)
            {
                if (_writer is null) Begin();
                var count = (int)Math.Min(end - at, _rows.Options.RowsPerFile - _rowsOfFile);
                WriteSome(batch, selection.Slice(at, count));
                at += count;
                if (_rowsOfFile >= _rows.Options.RowsPerFile || _file!.Stream.Position >= _rows.Options.BytesPerFile) End();
            }
        }
    }

    public TaskCommit Commit()
    {
        End();
        return _output.Commit();
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _file?.Dispose();
        _output.Dispose();
        _arena.Dispose();
    }

    private void WriteSome(ColumnBatch batch, ReadOnlySpan<ushort> rows)
    {
        Kernels.Bits.Zero(_mask, batch.Rows);
        foreach (var row in rows) Kernels.Bits.Set(_mask, row);
        _rowsOfFile += rows.Length;
        if (_inFiles is null)
        {
            var saved = batch.Save();
            batch.Set(batch.Rows, _mask);
            _writer!.Write(batch);
            batch.Restore(saved);
            return;
        }
        for (var i = 0; i < _inFiles.Columns.Length; i++) _inFiles.Columns[i].Share(batch.Columns[i]);
        _inFiles.Set(batch.Rows, _mask);
        _writer!.Write(_inFiles);
    }

    // The place in the selection up to which rows are of the same folder as the first.
    private int EndOfFolder(ColumnBatch batch, ReadOnlySpan<ushort> selection, int at)
    {
        if (_inFiles is null) return selection.Length;
        var end = at + 1;
        while (end < selection.Length && IsSameFolder(batch, selection[end - 1], selection[end])) end++;
        return end;
    }

    private bool IsSameFolder(ColumnBatch batch, int left, int right)
    {
        for (var i = 0; i < _values.Length; i++)
        {
            var column = batch.Columns[_inFiles!.Columns.Length + i];
            if (column.Form == VectorForm.Constant) continue;
            if (column.Form == VectorForm.Dictionary && column.Validity == null && column.Codes[left] == column.Codes[right]) continue;
            if (column.IsNull(left) != column.IsNull(right)) return false;
            if (!column.IsNull(left) && !StringView.BytesOf((StringView*)column.ValueAt(left)).SequenceEqual(StringView.BytesOf((StringView*)column.ValueAt(right)))) return false;
        }
        return true;
    }

    // Goes to the folder of a row.
    private void Enter(ColumnBatch batch, int row)
    {
        var isSame = _folder.Length > 0;
        for (var i = 0; i < _values.Length; i++)
        {
            var column = batch.Columns[_inFiles!.Columns.Length + i];
            var value = column.IsNull(row) ? null : StringView.TextOf((StringView*)column.ValueAt(row));
            isSame &= value == _values[i];
            _values[i] = value;
        }
        if (isSame) return;
        End();
        _folder = string.Concat(_rows.Folders.Select((name, i) => PartitionFolder.NameOf(name, _values[i]) + "/"));
    }

    private void Begin()
    {
        // Numbers where there may be several, so that names sort as rows do. Null and the empty text share a folder, which so may come twice.
        var files = _filesOfFolder.GetValueOrDefault(_folder);
        _filesOfFolder[_folder] = files + 1;
        var number = _rows.Options.HasLimits || files > 0 ? $"-{files:D4}" : "";
        _file = _output.Create(_folder + _plan.PartName(_context.PartitionIndex, number + _format.Extension));
        _writer = _format.Open(_file.Stream, _rows.Schema, _context);
        _rowsOfFile = 0;
    }

    private void End()
    {
        if (_writer is null) return;
        _writer.Complete();
        _file!.Complete(_rowsOfFile);
        _writer.Dispose();
        _file.Dispose();
        (_writer, _file) = (null, null);
    }
}
