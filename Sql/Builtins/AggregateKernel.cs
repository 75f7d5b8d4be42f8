using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Builtins;

/// <summary>
/// The states of one aggregate for all groups of a table: arrays by group number, which the table grows. Groups are numbered from 0 as they are met.
/// </summary>
/// <remarks>Used by one task's thread. Memory of the states is counted by <see cref="BytesPerGroup"/>; states that own more say so in
/// <see cref="ExtraBytes"/>.</remarks>
public abstract unsafe class AggregateKernel
{
    /// <summary>Bytes of a state.</summary>
    public abstract int BytesPerGroup { get; }

    /// <summary>Bytes that states hold beyond <see cref="BytesPerGroup"/>.</summary>
    public virtual long ExtraBytes => 0;

    /// <summary>Makes room for groups; new ones begin empty.</summary>
    /// <param name="groups">How many groups there are from now on; fewer than before only after <see cref="Clear"/>.</param>
    public abstract void Grow(int groups);

    /// <summary>Forgets all groups.</summary>
    public abstract void Clear();

    /// <summary>Adds rows to groups.</summary>
    /// <param name="arguments">The arguments of all rows of a batch.</param>
    /// <param name="rows">Which rows count.</param>
    /// <param name="groups">The group of each of these rows: the same length as <paramref name="rows"/>.</param>
    public abstract void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups);

    /// <summary>Adds rows to one group: aggregates without keys, and few groups.</summary>
    /// <param name="arguments">The arguments of all rows of a batch.</param>
    /// <param name="rows">Rows in the batch.</param>
    /// <param name="mask">Which rows count; null for all.</param>
    /// <param name="group">The group.</param>
    public abstract void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group);

    /// <summary>Adds states that were written by <see cref="WriteStates"/> elsewhere.</summary>
    /// <param name="states">One vector for each of the function's state types.</param>
    /// <param name="rows">Which rows count.</param>
    /// <param name="groups">The group of each of these rows.</param>
    public abstract void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups);

    /// <summary>Writes states of a run of groups.</summary>
    /// <param name="first">First group.</param>
    /// <param name="count">How many; at most <see cref="ColumnBatch.MaxRows"/>.</param>
    /// <param name="states">One vector for each of the function's state types, filled and set.</param>
    /// <param name="heap">Where bytes of text go.</param>
    public abstract void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap);

    /// <summary>Writes the values of a run of groups.</summary>
    /// <param name="first">First group.</param>
    /// <param name="count">How many; at most <see cref="ColumnBatch.MaxRows"/>.</param>
    /// <param name="result">Filled and set.</param>
    /// <param name="heap">Where bytes of text go.</param>
    public abstract void WriteResults(int first, int count, FlatVector result, TextHeap heap);
}
