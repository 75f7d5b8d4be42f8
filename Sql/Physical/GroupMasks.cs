using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Physical;

/// <summary>Where a table has few groups, a mask for each: aggregates then add a group's rows at once, in registers, and write its state once a batch.</summary>
internal sealed unsafe class GroupMasks
{
    // Each group is a pass over the arguments: with more, adding row by row costs less.
    private const int MostGroups = 8;

    private readonly ulong* _masks;
    private readonly FlatVector _groupOfRow;
    private readonly ColumnVector _group;

    public GroupMasks(TaskArena arena)
    {
        _masks = (ulong*)arena.Rent(MostGroups * (ColumnBatch.MaxRows / 8)).Pointer;
        _groupOfRow = new FlatVector(arena, DataType.Int);
        _group = new ColumnVector(DataType.Int) { Form = VectorForm.Constant, Data = arena.Rent(sizeof(int)).Pointer };
    }

    /// <summary>Groups that have masks; 0 if rows are to be added one by one.</summary>
    public int Count { get; private set; }

    /// <summary>The rows of a group; zeros past the last row.</summary>
    public ulong* this[int group] => _masks + (group * (ColumnBatch.MaxRows / 64));

    /// <summary>Rows are to be added one by one.</summary>
    public void Forget() => Count = 0;

    /// <summary>Makes the masks of a batch, if that pays.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="numbers">Their groups, in the order of the selection.</param>
    /// <param name="groups">How many groups there are.</param>
    public void Make(ColumnBatch batch, ReadOnlySpan<int> numbers, int groups)
    {
        Count = 0;
        var rows = batch.Rows;
        if (groups > MostGroups || batch.Alive < rows / 4) return;
        Count = groups;
        var groupOfRow = (int*)_groupOfRow.Data;
        if (batch.Mask == null)
        {
            numbers.CopyTo(new Span<int>(groupOfRow, rows));
        }
        else
        {
            new Span<int>(groupOfRow, rows).Fill(-1);
            var selection = batch.Selection;
            for (var i = 0; i < selection.Length; i++) groupOfRow[selection[i]] = numbers[i];
        }
        var vector = _groupOfRow.Set(rows, false);
        for (var group = 0; group < groups; group++)
        {
            *(int*)_group.Data = group;
            Compare.Run<int, Equal<int>>(vector, _group, this[group], rows);
            if ((rows & 63) != 0) this[group][rows >> 6] &= Bits.Tail(rows);
        }
    }
}
