using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Physical;

/// <summary>The groups of one task: a table of keys, and the states of each aggregate. Without keys there is one group from the start.</summary>
internal sealed class GroupStates
{
    private const int FirstGroups = 1024;

    // Bytes of states that are written at once.
    private const long MostWritten = 2 << 20;

    // From so many bytes a group on states are too large to be made for each row.
    private const long LargeState = 256;

    private readonly TaskArena _arena;
    private readonly KeyTable? _table;
    private readonly GroupOutput _output;
    private int _capacity;

    /// <param name="arena">Memory.</param>
    /// <param name="keys">Types of the keys.</param>
    /// <param name="calls">The aggregates.</param>
    /// <param name="givesValues">Whether values are asked for, and not only states.</param>
    public GroupStates(TaskArena arena, ValueList<DataType> keys, ValueList<AggregateCall> calls, bool givesValues)
        : this(arena, keys, calls, new GroupOutput(arena, keys, calls, givesValues)) { }

    /// <param name="arena">Memory.</param>
    /// <param name="keys">Types of the keys.</param>
    /// <param name="calls">The aggregates.</param>
    /// <param name="output">What groups are given in: may be that of others too, as long as one gives at a time.</param>
    public GroupStates(TaskArena arena, ValueList<DataType> keys, ValueList<AggregateCall> calls, GroupOutput output)
    {
        (_arena, _output) = (arena, output);
        _table = keys.Count == 0 ? null : KeyTable.For(arena, keys);
        Kernels = [.. calls.Select(call => call.Function.Compile(call))];
        Clear();
    }

    public AggregateKernel[] Kernels { get; }

    public int Count => _table?.Count ?? 1;

    public bool HasKeys => _table is not null;

    /// <summary>About how many bytes the groups take: counted, so that equal rows always give the same.</summary>
    public long Size
    {
        get
        {
            var bytes = _table is null ? 0 : ((long)_table.Count * _table.BytesPerKey) + _table.Keys.TextBytes;
            foreach (var kernel in Kernels) bytes += ((long)Count * kernel.BytesPerGroup) + kernel.ExtraBytes;
            return bytes;
        }
    }

    /// <summary>Whether states own many bytes each.</summary>
    public bool HasLargeStates => Extra > LargeState * Count;

    /// <summary>Bytes that the groups of a table may take before they are handed on or cut: not more than stays in the processor's cache.</summary>
    public static long TableBytes(TaskArena arena) => arena.ShareOfBudget(parts: 12, least: 256 << 10, most: 16 << 20);

    /// <summary>Takes memory for so many groups at once, where about so many will come.</summary>
    public void Expect(int groups)
    {
        if (_table is null || groups <= _capacity) return;
        _table.Reserve(groups);
        Reserve(groups);
    }

    /// <summary>Numbers the groups of a batch's rows, in the order of its selection; zeros without keys.</summary>
    public ReadOnlySpan<int> Find(ReadOnlySpan<ColumnVector> keys, ColumnBatch rows)
    {
        var numbers = _output.Numbers.AsSpan(0, rows.Alive);
        if (_table is null) return numbers;
        _table.FindOrAdd(keys, rows.Selection, numbers);
        Reserve(_table.Count);
        return numbers;
    }

    /// <summary>Takes each row of a batch for a group of its own, without keys in the table: what <see cref="GiveRows"/> gives.</summary>
    public ReadOnlySpan<int> Number(ColumnBatch rows)
    {
        var numbers = _output.Numbers.AsSpan(0, rows.Alive);
        for (var i = 0; i < numbers.Length; i++) numbers[i] = i;
        Reserve(ColumnBatch.MaxRows);
        return numbers;
    }

    /// <summary>Charges what states have grown by beside their arrays. Called after each batch.</summary>
    public void Charge()
    {
        var bytes = 0L;
        foreach (var kernel in Kernels) bytes += ((long)_capacity * kernel.BytesPerGroup) + kernel.ExtraBytes;
        _arena.ChargeObjects(bytes);
    }

    /// <summary>Gives groups as a batch.</summary>
    /// <param name="next">Where to go on; moved.</param>
    /// <param name="asStates">Whether states are wanted, or values.</param>
    /// <param name="batch">Keys and states, or keys and values.</param>
    public bool TryGive(ref int next, bool asStates, out ColumnBatch batch)
    {
        batch = asStates ? _output.StateBatch : _output.ValueBatch;
        var count = Math.Min(WrittenAtOnce, Count - next);
        if (count <= 0) return false;
        if (_table is not null)
        {
            for (var i = 0; i < count; i++) _output.Rows[i] = next + i;
            for (var i = 0; i < _output.Keys.Length; i++) _table.Keys[i].Gather(_output.Rows.AsSpan(0, count), _output.Keys[i]);
        }
        _output.Heap.Clear();
        if (asStates) WriteStates(next, count);
        else for (var i = 0; i < Kernels.Length; i++) Kernels[i].WriteResults(next, count, _output.Values[i], _output.Heap);
        batch.Set(count);
        next += count;
        return true;
    }

    /// <summary>Gives the states of rows that are groups of their own, and forgets them.</summary>
    /// <param name="keys">The keys of the rows.</param>
    /// <param name="rows">Which rows.</param>
    /// <param name="gather">Copies keys.</param>
    public ColumnBatch GiveRows(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, VectorGather[] gather)
    {
        for (var i = 0; i < keys.Length; i++) _output.StateBatch.Columns[i] = gather[i].Gather(keys[i], rows);
        _output.Heap.Clear();
        WriteStates(0, rows.Length);
        _output.StateBatch.Set(rows.Length);
        foreach (var kernel in Kernels)
        {
            kernel.Clear();
            kernel.Grow(ColumnBatch.MaxRows);
        }
        return _output.StateBatch;
    }

    public void Clear()
    {
        _table?.Clear();
        foreach (var kernel in Kernels)
        {
            kernel.Clear();
            if (_capacity > 0) kernel.Grow(_capacity);
        }
        if (_table is null) Reserve(1);
        for (var i = 0; i < _output.Keys.Length; i++) _output.StateBatch.Columns[i] = _output.Keys[i].Vector;
    }

    private long Extra
    {
        get
        {
            var extra = 0L;
            foreach (var kernel in Kernels) extra += kernel.ExtraBytes;
            return extra;
        }
    }

    // Few states of many bytes are written at once.
    private int WrittenAtOnce => Extra is var extra and > 0 ? (int)Math.Clamp(MostWritten / Math.Max(1, extra / Math.Max(1, Count)), 1, ColumnBatch.MaxRows) : ColumnBatch.MaxRows;

    private void WriteStates(int first, int count)
    {
        for (var i = 0; i < Kernels.Length; i++) Kernels[i].WriteStates(first, count, _output.States[i], _output.Heap);
    }

    private void Reserve(int groups)
    {
        if (groups <= _capacity) return;
        _capacity = groups == 1 ? 1 : Math.Max(FirstGroups, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)groups));
        Charge();
        foreach (var kernel in Kernels) kernel.Grow(_capacity);
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
