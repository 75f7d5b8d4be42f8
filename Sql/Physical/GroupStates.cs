using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Physical;

/// <summary>The groups of one task: a table of keys, and the states of each aggregate. Without keys there is one group from the start.</summary>
internal sealed class GroupStates
{
    private readonly KeyTable? _table;
    private readonly FlatVector[] _keys;
    private readonly FlatVector[][] _results;
    private readonly bool _givesStates;
    private readonly TextHeap _heap;
    private readonly ColumnBatch _batch;
    private readonly int[] _numbers = new int[ColumnBatch.MaxRows];
    private readonly int[] _rows = new int[ColumnBatch.MaxRows];

    public GroupStates(TaskArena arena, ValueList<DataType> keys, ValueList<AggregateCall> calls, bool givesStates)
    {
        _table = keys.Count == 0 ? null : KeyTable.For(arena, keys);
        _givesStates = givesStates;
        _heap = new TextHeap(arena);
        Kernels = [.. calls.Select(call => call.Function.Compile(call))];
        _keys = [.. keys.Select(type => new FlatVector(arena, type))];
        _results = [.. calls.Select(call => (givesStates ? call.Function.StateTypes(call) : [call.Result]).Select(type => new FlatVector(arena, type)).ToArray())];
        _batch = new ColumnBatch([.. _keys.Concat(_results.SelectMany(vectors => vectors)).Select(vector => vector.Vector)]);
        Clear();
    }

    public AggregateKernel[] Kernels { get; }

    public int Count => _table?.Count ?? 1;

    public bool HasKeys => _table is not null;

    /// <summary>Numbers the groups of a batch's rows, in the order of its selection; zeros without keys.</summary>
    public ReadOnlySpan<int> Find(ReadOnlySpan<ColumnVector> keys, ColumnBatch rows)
    {
        var numbers = _numbers.AsSpan(0, rows.Alive);
        if (_table is null) return numbers;
        var before = _table.Count;
        _table.FindOrAdd(keys, rows.Selection, numbers);
        if (_table.Count > before) Grow(_table.Count);
        return numbers;
    }

    /// <summary>Gives groups as a batch.</summary>
    /// <param name="next">Where to go on; moved.</param>
    /// <param name="batch">Keys and states, or keys and values.</param>
    public bool TryGive(ref int next, out ColumnBatch batch)
    {
        batch = _batch;
        var count = Math.Min(ColumnBatch.MaxRows, Count - next);
        if (count <= 0) return false;
        if (_table is not null)
        {
            for (var i = 0; i < count; i++) _rows[i] = next + i;
            for (var i = 0; i < _keys.Length; i++) _table.Keys[i].Gather(_rows.AsSpan(0, count), _keys[i]);
        }
        _heap.Clear();
        for (var i = 0; i < Kernels.Length; i++)
        {
            if (_givesStates) Kernels[i].WriteStates(next, count, _results[i], _heap);
            else Kernels[i].WriteResults(next, count, _results[i][0], _heap);
        }
        _batch.Set(count);
        next += count;
        return true;
    }

    public void Clear()
    {
        _table?.Clear();
        foreach (var kernel in Kernels) kernel.Clear();
        if (_table is null) Grow(1);
    }

    private void Grow(int groups)
    {
        foreach (var kernel in Kernels) kernel.Grow(groups);
    }
}

/// <summary>The arguments of one aggregate.</summary>
internal sealed unsafe class AggregateInput
{
    private readonly Evaluator[] _arguments;
    private readonly ColumnVector[] _vectors;
    private readonly FilterEvaluator? _filter;
    private readonly bool _isNarrow;
    private readonly Flattener?[] _flatteners;
    private readonly TaskArena _arena;
    private readonly ushort[] _rows;
    private readonly int[] _numbers;

    public AggregateInput(AggregateCall call, ValueList<ColumnReference> columns, SharedExpressions shared, EvaluatorContext context)
    {
        _arguments = [.. call.Arguments.Select(shared.Compile)];
        _isNarrow = call.Function.TakesNarrowDecimals;
        _flatteners = new Flattener?[_arguments.Length];
        _arena = context.Arena;
        _vectors = new ColumnVector[_arguments.Length];
        _filter = call.Filter is null ? null : ExpressionCompiler.CompileFilter(call.Filter, columns, context);
        _rows = _filter is null ? [] : new ushort[ColumnBatch.MaxRows];
        _numbers = _filter is null ? [] : new int[ColumnBatch.MaxRows];
    }

    /// <summary>Adds the rows of a batch.</summary>
    /// <param name="kernel">The states.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="numbers">Their groups, in the order of the selection.</param>
    /// <param name="hasKeys">Whether there are several groups.</param>
    /// <param name="masks">The rows of each group, if they are few.</param>
    public void Update(AggregateKernel kernel, ColumnBatch batch, ReadOnlySpan<int> numbers, bool hasKeys, GroupMasks masks)
    {
        for (var i = 0; i < _arguments.Length; i++) _vectors[i] = _isNarrow ? _arguments[i].EvaluateNarrow(batch) : _arguments[i].Evaluate(batch);
        var mask = _filter is null ? batch.Mask : _filter.Filter(batch);
        // Passes over all rows read values that follow each other; numbers by code would be looked up for each group anew.
        if (!hasKeys || masks.Count > 0)
        {
            for (var i = 0; i < _arguments.Length; i++)
            {
                if (_vectors[i].Form == VectorForm.Dictionary && _vectors[i].Type.Physical is >= PhysicalType.Int8 and <= PhysicalType.Float64)
                    _vectors[i] = (_flatteners[i] ??= new Flattener(_arena)).Flat(_vectors[i]);
            }
        }
        if (!hasKeys)
        {
            kernel.UpdateOne(_vectors, batch.Rows, mask, 0);
            return;
        }
        if (_filter is null)
        {
            if (masks.Count == 0) kernel.Update(_vectors, batch.Selection, numbers);
            for (var group = 0; group < masks.Count; group++) kernel.UpdateOne(_vectors, batch.Rows, masks[group], group);
            return;
        }
        var selection = batch.Selection;
        var count = 0;
        for (var i = 0; i < selection.Length; i++)
        {
            if (mask != null && (mask[selection[i] >> 6] >> (selection[i] & 63) & 1) == 0) continue;
            _rows[count] = selection[i];
            _numbers[count++] = numbers[i];
        }
        kernel.Update(_vectors, _rows.AsSpan(0, count), _numbers.AsSpan(0, count));
    }
}
