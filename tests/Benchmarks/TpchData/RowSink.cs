using Dataflow.Sql;
using Dataflow.Sql.Columns;

namespace Dataflow.Benchmarks.TpchData;

/// <summary>Takes rows, value by value in the order of the columns, and gives them on as batches.</summary>
internal sealed unsafe class RowSink
{
    private readonly FlatVector[] _columns;
    private readonly ColumnBatch _batch;
    private readonly TextHeap _heap;
    private readonly Action<ColumnBatch> _give;
    private int _column;
    private int _row;

    /// <summary>A sink.</summary>
    /// <param name="schema">The columns.</param>
    /// <param name="arena">Whose memory it takes.</param>
    /// <param name="give">Takes each batch.</param>
    public RowSink(Schema schema, TaskArena arena, Action<ColumnBatch> give)
    {
        _columns = [.. schema.Select(field => new FlatVector(arena, field.Type))];
        _batch = new ColumnBatch(Array.ConvertAll(_columns, column => column.Vector));
        _heap = new TextHeap(arena);
        _give = give;
    }

    /// <summary>An integer, a decimal without its point, or a day.</summary>
    public void Add(long value)
    {
        var column = _columns[_column++];
        if (column.Vector.Type.ByteWidth == 8) ((long*)column.Data)[_row] = value;
        else ((int*)column.Data)[_row] = (int)value;
    }

    /// <summary>Text, which is copied.</summary>
    public void Add(ReadOnlySpan<byte> text) => ((StringView*)_columns[_column++].Data)[_row] = _heap.Add(text);

    /// <summary>Text that stays where it is.</summary>
    public void Add(byte* text, int length) => ((StringView*)_columns[_column++].Data)[_row] = StringView.Of(text, length);

    /// <summary>A word and a number of nine digits: <c>Supplier#000000012</c>.</summary>
    public void Add(ReadOnlySpan<byte> word, long number)
    {
        Span<byte> text = stackalloc byte[word.Length + 9];
        word.CopyTo(text);
        for (var i = text.Length - 1; i >= word.Length; i--, number /= 10) text[i] = (byte)('0' + (number % 10));
        Add(text);
    }

    /// <summary>The row is whole.</summary>
    public void EndRow()
    {
        _column = 0;
        if (++_row == ColumnBatch.MaxRows) Flush();
    }

    /// <summary>Gives what is left.</summary>
    public void Flush()
    {
        if (_row == 0) return;
        foreach (var column in _columns) column.Set(_row, hasNulls: false);
        _batch.Set(_row);
        _give(_batch);
        _heap.Clear();
        _row = 0;
    }
}
