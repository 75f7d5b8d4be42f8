using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Keeps the first or the last value it meets.</summary>
internal sealed unsafe class PickKernel(DataType type, bool isLast, bool skipsNulls) : AggregateKernel
{
    private readonly ValueStates _values = new(type);
    private readonly GroupArray<bool> _seen = new();

    public override int BytesPerGroup => _values.BytesPerGroup + 1;

    public override long ExtraBytes => _values.ExtraBytes;

    public override void Grow(int groups)
    {
        _values.Grow(groups);
        _seen.Grow(groups);
    }

    public override void Clear()
    {
        _values.Clear();
        _seen.Clear();
    }

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        for (var i = 0; i < rows.Length; i++) Offer(arguments[0], rows[i], groups[i]);
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var bits = Bits.Word(mask, word, rows); bits != 0; bits &= bits - 1)
            {
                if (!isLast && _seen.Items[group]) return;
                Offer(arguments[0], (word << 6) + BitOperations.TrailingZeroCount(bits), group);
            }
        }
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (states[1].Bit(rows[i])) Offer(states[0], rows[i], groups[i]);
        }
    }

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap)
    {
        WriteResults(first, count, states[0], heap);
        var seen = (ulong*)states[1].Data;
        Bits.Zero(seen, count);
        for (var i = 0; i < count; i++)
        {
            if (_seen.Items[first + i]) Bits.Set(seen, i);
        }
        states[1].Set(count, false);
    }

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap) =>
        _values.Write(first, count, result, heap, group => _seen.Items[group]);

    private void Offer(ColumnVector vector, int row, int group)
    {
        if ((!isLast && _seen.Items[group]) || (skipsNulls && vector.IsNull(row))) return;
        _values.Set(group, vector, row);
        _seen.Items[group] = true;
    }
}

/// <summary>Keeps the value of the row whose key comes first or last in the order of keys.</summary>
internal sealed unsafe class PickByKernel(DataType type, DataType by, bool isMax) : AggregateKernel
{
    private readonly ValueStates _values = new(type);
    private readonly ValueStates _keys = new(by);
    private readonly GroupArray<bool> _seen = new();

    public override int BytesPerGroup => _values.BytesPerGroup + _keys.BytesPerGroup + 1;

    public override long ExtraBytes => _values.ExtraBytes + _keys.ExtraBytes;

    public override void Grow(int groups)
    {
        _values.Grow(groups);
        _keys.Grow(groups);
        _seen.Grow(groups);
    }

    public override void Clear()
    {
        _values.Clear();
        _keys.Clear();
        _seen.Clear();
    }

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        for (var i = 0; i < rows.Length; i++) Offer(arguments, rows[i], groups[i]);
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var bits = Bits.Word(mask, word, rows); bits != 0; bits &= bits - 1) Offer(arguments, (word << 6) + BitOperations.TrailingZeroCount(bits), group);
        }
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups) => Update(states, rows, groups);

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap)
    {
        _values.Write(first, count, states[0], heap, group => _seen.Items[group]);
        _keys.Write(first, count, states[1], heap, group => _seen.Items[group]);
    }

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap) =>
        _values.Write(first, count, result, heap, group => _seen.Items[group]);

    private void Offer(ReadOnlySpan<ColumnVector> arguments, int row, int group)
    {
        if (arguments[1].IsNull(row)) return;
        if (_seen.Items[group])
        {
            var order = _keys.Compare(group, arguments[1], row);
            if (isMax ? order >= 0 : order <= 0) return;
        }
        _values.Set(group, arguments[0], row);
        _keys.Set(group, arguments[1], row);
        _seen.Items[group] = true;
    }
}
