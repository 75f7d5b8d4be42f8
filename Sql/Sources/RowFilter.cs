using System.Diagnostics;
using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Sources;

/// <summary>
/// The conditions on the rows of a scan that are worked out while it reads: those of the filter above, and dynamic filters. Each asks for its
/// columns when its turn comes, so that columns behind the first condition that no row satisfies are not decoded.
/// </summary>
/// <remarks>Conditions that can't fail are tried in the order that measured best: cost of a row over share of rows that it leaves out.</remarks>
internal sealed unsafe class RowFilter
{
    private const int BatchesPerOrder = 8;

    private readonly List<Step> _steps = [];
    private readonly ulong* _mask;
    private int _batches;
    private bool _anyOrder = true;

    /// <summary>The dynamic filters of a scan.</summary>
    /// <param name="arena">Whose memory it takes.</param>
    /// <param name="fields">The fields that the columns of the batches hold.</param>
    /// <param name="dynamic">Filters of fields; those of fields that are not among the columns are left out.</param>
    public RowFilter(TaskArena arena, ValueList<int> fields, IReadOnlyList<IDynamicFilter> dynamic)
    {
        _mask = (ulong*)arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
        foreach (var filter in dynamic)
        {
            for (var i = 0; i < fields.Count; i++)
            {
                if (fields[i] == filter.Field) _steps.Add(new DynamicStep(filter, i, arena));
            }
        }
    }

    /// <summary>Whether there is nothing to ask.</summary>
    public bool IsEmpty => _steps.Count == 0;

    /// <summary>Adds the conditions of a filter, before those that are there.</summary>
    public void Add(FilterEvaluator filter)
    {
        for (var i = 0; i < filter.Count; i++) _steps.Insert(i, new ConditionStep(filter, i));
        _anyOrder &= filter.AnyOrder;
    }

    /// <summary>Works out which rows of a batch are wanted, and makes it the batch's mask.</summary>
    /// <param name="batch">The rows; all of them count.</param>
    /// <param name="load">Decodes a column of the batch, where rows still count, unless it is there already.</param>
    public void Run(ColumnBatch batch, Action<int> load)
    {
        var rows = batch.Rows;
        if (_anyOrder && _steps.Count > 1 && _batches++ % BatchesPerOrder == BatchesPerOrder - 1) _steps.Sort((left, right) => left.Rank.CompareTo(right.Rank));
        Bits.Fill(_mask, rows);
        foreach (var step in _steps)
        {
            // A column is paid for by the first condition that asks for it.
            var before = batch.Alive;
            var began = Stopwatch.GetTimestamp();
            foreach (var column in step.Columns) load(column);
            step.Keep(batch, _mask);
            batch.Set(rows, _mask);
            step.Count(before, batch.Alive, Stopwatch.GetTimestamp() - began);
            if (batch.Alive == 0) return;
        }
    }

    private abstract class Step
    {
        private double _cost;
        private double _rows;
        private double _left;

        public abstract ReadOnlySpan<int> Columns { get; }

        // Smaller is better. Without rows so far it keeps its place near the front.
        public double Rank => _rows == 0 ? 0 : _cost / Math.Max(_rows - _left, _rows / 1024);

        public abstract void Keep(ColumnBatch batch, ulong* mask);

        // The past fades, so that data that changes along the file is followed.
        public void Count(int before, int after, long ticks)
        {
            (_cost, _rows, _left) = ((_cost * 0.75) + ticks, (_rows * 0.75) + before, (_left * 0.75) + after);
        }
    }

    private sealed class ConditionStep(FilterEvaluator filter, int conjunct) : Step
    {
        public override ReadOnlySpan<int> Columns => filter.ColumnsOf(conjunct);

        public override void Keep(ColumnBatch batch, ulong* mask) => filter.Keep(conjunct, batch, mask);
    }

    private sealed class DynamicStep(IDynamicFilter filter, int column, TaskArena arena) : Step
    {
        private readonly int[] _columns = [column];
        private readonly ulong* _passing = (ulong*)arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
        private ColumnDictionary? _dictionary;
        private ValueBounds? _bounds;
        private int _passed;

        public override ReadOnlySpan<int> Columns => _columns;

        public override void Keep(ColumnBatch batch, ulong* mask)
        {
            var values = batch.Columns[column];
            if (values.Form != VectorForm.Dictionary || values.Dictionary!.Count > (filter.Bounds is null ? batch.Alive / 4 : ColumnBatch.MaxRows))
            {
                filter.Apply(values, batch.Rows, mask);
                return;
            }
            Ask(values.Dictionary);
            if (_passed < values.Dictionary.Count) KeepPassing(values, batch.Rows, mask);
        }

        // Values of the dictionary are asked for once, and again when the filter has become narrower; without bounds nobody can tell.
        private void Ask(ColumnDictionary dictionary)
        {
            var bounds = filter.Bounds;
            if (bounds is not null && ReferenceEquals(dictionary, _dictionary) && ReferenceEquals(bounds, _bounds)) return;
            (_dictionary, _bounds) = (dictionary, bounds);
            Bits.Fill(_passing, dictionary.Count);
            filter.Apply(dictionary.Values, dictionary.Count, _passing);
            _passed = Bits.Count(_passing, dictionary.Count);
        }

        // What becomes of nulls, which no dictionary holds, is for the operator that made the filter.
        private void KeepPassing(ColumnVector values, int rows, ulong* mask)
        {
            for (var word = 0; word < Bits.Words(rows); word++)
            {
                var kept = values.Validity == null ? 0 : ~values.Validity[word];
                for (var left = mask[word] & ~kept; left != 0; left &= left - 1)
                {
                    var bit = BitOperations.TrailingZeroCount(left);
                    if (Bits.Get(_passing, (int)values.Codes[(word << 6) + bit])) kept |= 1UL << bit;
                }
                mask[word] &= kept;
            }
        }
    }
}
