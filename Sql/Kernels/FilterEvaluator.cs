using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Says for which rows of a batch a predicate is true. Its conjuncts are tried one after the other, each on the rows that are left.</summary>
public sealed unsafe class FilterEvaluator
{
    private readonly Conjunct[] _conjuncts;
    private readonly ulong* _mask;

    internal FilterEvaluator(Conjunct[] conjuncts, TaskArena arena)
    {
        _conjuncts = conjuncts;
        _mask = (ulong*)arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
    }

    /// <summary>How many conjuncts there are: for readers that take a filter over (<see cref="Sources.BatchReader.TryTake"/>) and try them one by one.</summary>
    public int Count => _conjuncts.Length;

    /// <summary>Whether no conjunct can fail: then they may be tried in any order.</summary>
    public bool AnyOrder => !Array.Exists(_conjuncts, conjunct => conjunct.MayFail);

    /// <summary>The columns of the batch that a conjunct reads, by position.</summary>
    /// <param name="conjunct">Which, from 0 to <see cref="Count"/>.</param>
    public ReadOnlySpan<int> ColumnsOf(int conjunct) => _conjuncts[conjunct].Columns;

    /// <summary>Clears the bits of rows for which a conjunct is not true.</summary>
    /// <param name="conjunct">Which, from 0 to <see cref="Count"/>.</param>
    /// <param name="batch">The rows; the columns that the conjunct reads must be there, others need not.</param>
    /// <param name="mask">A bit a row.</param>
    public void Keep(int conjunct, ColumnBatch batch, ulong* mask) => Three.KeepTrue(mask, _conjuncts[conjunct].Evaluator.Evaluate(batch), batch.Rows);

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
                Three.KeepTrue(_mask, conjunct.Evaluator.Evaluate(batch), rows);
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

/// <summary>One of the conditions that must all be true.</summary>
/// <param name="Evaluator">What computes it.</param>
/// <param name="Columns">The columns it reads, by position.</param>
/// <param name="MayFail">Whether it can fail for some values.</param>
internal sealed record Conjunct(Evaluator Evaluator, int[] Columns, bool MayFail);
