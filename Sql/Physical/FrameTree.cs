using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Physical;

/// <summary>
/// States of an aggregate over blocks of 64 rows of a partition, over blocks of 64 such blocks, and so on: a frame is a few rows at its ends and whole
/// blocks between, so that it costs some hundred steps however many rows it has.
/// </summary>
/// <remarks>After V. Leis et al., "Efficient Processing of Window Functions in Analytical SQL Queries" (2015), section 4.3, with wider nodes. Blocks are
/// merged in the order of their rows.</remarks>
internal sealed unsafe class FrameTree
{
    private const int Shift = 6;

    private readonly AggregateCall _call;
    private readonly TaskArena _arena;
    private readonly WindowAggregate _rows;
    private readonly DataType[] _types;
    private readonly FlatVector[] _states;
    private readonly ColumnVector[] _shown;
    private readonly TextHeap _heap;
    private readonly List<Level> _levels = [];
    private readonly ushort[] _numbers = new ushort[ColumnBatch.MaxRows];
    private readonly int[] _groups = new int[ColumnBatch.MaxRows];

    /// <param name="call">The aggregate.</param>
    /// <param name="rows">Adds rows to a kernel of it.</param>
    /// <param name="arena">Memory.</param>
    public FrameTree(AggregateCall call, WindowAggregate rows, TaskArena arena)
    {
        _call = call;
        _arena = arena;
        _rows = rows;
        _types = [.. call.Function.StateTypes(call)];
        _states = [.. _types.Select(type => new FlatVector(arena, type))];
        _shown = [.. _types.Select(type => new ColumnVector(type))];
        _heap = new TextHeap(arena);
    }

    /// <summary>Computes the blocks of a partition.</summary>
    /// <param name="start">First row.</param>
    /// <param name="end">The row after the last.</param>
    public void Build(int start, int end)
    {
        Clear();
        for (var shift = Shift; (end - start) >> shift > 1; shift += Shift)
        {
            var first = start >> shift;
            var kernel = _call.Function.Compile(_call);
            var count = ((end - 1) >> shift) - first + 1;
            kernel.Grow(count);
            _rows.Add(kernel, start, end, shift, first);
            var store = new RowStore(_arena, _types);
            for (var done = 0; done < count; done += ColumnBatch.MaxRows)
            {
                var part = Math.Min(ColumnBatch.MaxRows, count - done);
                _heap.Clear();
                kernel.WriteStates(done, part, _states, _heap);
                for (var i = 0; i < part; i++) _numbers[i] = (ushort)i;
                store.Append([.. _states.Select(state => state.Vector)], _numbers.AsSpan(0, part));
            }
            _levels.Add(new Level(store, first));
        }
    }

    /// <summary>Forgets the blocks.</summary>
    public void Clear()
    {
        foreach (var level in _levels) level.States.Return();
        _levels.Clear();
    }

    /// <summary>Adds rows of the partition to a kernel's only group.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="first">First row.</param>
    /// <param name="end">The row after the last.</param>
    public void Add(AggregateKernel kernel, int first, int end) => Add(kernel, first, end, 0);

    // Level 0 counts rows, the next ones blocks.
    private void Add(AggregateKernel kernel, int first, int end, int level)
    {
        var (up, down) = ((first + (1 << Shift) - 1) >> Shift, end >> Shift);
        if (level == _levels.Count || up >= down)
        {
            AddUnits(kernel, first, end, level);
            return;
        }
        AddUnits(kernel, first, up << Shift, level);
        Add(kernel, up, down, level + 1);
        AddUnits(kernel, down << Shift, end, level);
    }

    private void AddUnits(AggregateKernel kernel, int first, int end, int level)
    {
        if (first >= end) return;
        if (level == 0)
        {
            _rows.Add(kernel, first, end, 0, 0);
            return;
        }
        var (states, offset) = _levels[level - 1];
        for (var at = first - offset; at < end - offset;)
        {
            var shownFrom = at & ~63;
            var count = Math.Min(end - offset, shownFrom + ColumnBatch.MaxRows) - shownFrom;
            for (var i = 0; i < _shown.Length; i++) states[i].Show(shownFrom, count, _shown[i]);
            var taken = 0;
            for (var block = at - shownFrom; block < count; block++) _numbers[taken++] = (ushort)block;
            kernel.Merge(_shown, _numbers.AsSpan(0, taken), _groups.AsSpan(0, taken));
            at = shownFrom + count;
        }
    }

    private sealed record Level(RowStore States, int First);
}
