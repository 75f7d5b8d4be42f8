using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Says for which rows of a batch a predicate is true. Its conjuncts are tried one after the other, each on the rows that are left.</summary>
public sealed unsafe class FilterEvaluator
{
    private readonly Evaluator[] _conjuncts;
    private readonly ulong* _mask;

    internal FilterEvaluator(Evaluator[] conjuncts, TaskArena arena)
    {
        _conjuncts = conjuncts;
        _mask = (ulong*)arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
    }

    /// <summary>The rows of a batch that count and for which the predicate is true.</summary>
    /// <param name="batch">The rows; it is as it was after the call.</param>
    /// <returns>A bit a row, zeros past the last; valid until the next call.</returns>
    public ulong* Filter(ColumnBatch batch)
    {
        var rows = batch.Rows;
        var given = batch.Mask;
        var saved = batch.Save();
        Bits.Copy(_mask, given, rows);
        try
        {
            foreach (var conjunct in _conjuncts)
            {
                Three.KeepTrue(_mask, conjunct.Evaluate(batch), rows);
                batch.Set(rows, _mask);
                if (batch.Alive == 0) break;
            }
        }
        finally
        {
            batch.Restore(saved);
        }
        return _mask;
    }
}
