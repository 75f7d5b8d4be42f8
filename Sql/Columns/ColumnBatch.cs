using System.Numerics;

namespace Dataflow.Sql.Columns;

/// <summary>
/// Some rows, by column: what operators pass on. It is lent until the next call of who gave it; whoever keeps rows copies them.
/// </summary>
/// <remarks>
/// Rows that were filtered out may still be there: <see cref="Mask"/> says which count. An operator that finds few left makes a batch of those
/// alone (<see cref="Selection"/> names them).
/// </remarks>
public sealed unsafe class ColumnBatch
{
    /// <summary>Most rows of a batch. Buffers of operators are made for it.</summary>
    public const int MaxRows = 8192;

    private ushort[]? _selection;
    private int _selected;
    private long _selectedVersion = -1;
    private long _lastVersion;
    private ulong* _mask;

    /// <summary>A batch without rows.</summary>
    /// <param name="columns">Its columns.</param>
    public ColumnBatch(ColumnVector[] columns) => Columns = columns;

    /// <summary>The columns.</summary>
    public ColumnVector[] Columns { get; }

    /// <summary>Rows that lie in the columns, those that were filtered out included; at most <see cref="MaxRows"/>.</summary>
    public int Rows { get; private set; }

    /// <summary>A bit a row, set if the row counts; null if all do. Bits past the last row are zero.</summary>
    public ulong* Mask => _mask;

    /// <summary>How many rows count.</summary>
    public int Alive { get; private set; }

    /// <summary>Another number whenever rows or mask are set: what was computed under the same number is of the same rows.</summary>
    public long Version { get; private set; }

    /// <summary>Says what it holds now: rows that all count.</summary>
    /// <param name="rows">Rows in the columns.</param>
    public void Set(int rows) => Set(rows, null);

    /// <summary>Says what it holds now.</summary>
    /// <param name="rows">Rows in the columns.</param>
    /// <param name="mask">Which of them count, zeros past the last row; null for all. Must stay as long as the batch is lent.</param>
    public void Set(int rows, ulong* mask)
    {
        Rows = rows;
        Version = ++_lastVersion;
        _mask = mask;
        Alive = rows;
        if (mask == null) return;
        var alive = 0;
        for (var i = 0; i < (rows + 63) >> 6; i++) alive += BitOperations.PopCount(mask[i]);
        Alive = alive;
        if (alive == rows) _mask = null;
    }

    /// <summary>The rows that count, in order. Worked out from the mask at first use.</summary>
    public ReadOnlySpan<ushort> Selection
    {
        get
        {
            if (_selectedVersion != Version) Select();
            return _selection.AsSpan(0, _selected);
        }
    }

    /// <summary>What it holds, to come back to after a look at fewer rows.</summary>
    internal BatchRows Save() => new((nint)_mask, Rows, Alive, Version);

    /// <summary>Comes back to what was saved: nothing that was computed of it is lost.</summary>
    internal void Restore(BatchRows saved)
    {
        _mask = (ulong*)saved.Mask;
        Rows = saved.Rows;
        Alive = saved.Alive;
        Version = saved.Version;
    }


    private void Select()
    {
        var selection = _selection ??= new ushort[MaxRows];
        var count = 0;
        if (_mask == null)
        {
            for (; count < Rows; count++) selection[count] = (ushort)count;
        }
        else
        {
            for (var word = 0; word < (Rows + 63) >> 6; word++)
            {
                for (var bits = _mask[word]; bits != 0; bits &= bits - 1) selection[count++] = (ushort)((word << 6) + BitOperations.TrailingZeroCount(bits));
            }
        }
        _selected = count;
        _selectedVersion = Version;
    }
}

/// <summary>Which rows of a batch count.</summary>
internal readonly record struct BatchRows(nint Mask, int Rows, int Alive, long Version);
