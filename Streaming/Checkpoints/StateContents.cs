using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Checkpoints;

/// <summary>The state of an operator after a batch, to be read. Travels to executors.</summary>
/// <param name="Folder">Where its files lie.</param>
/// <param name="Chains">By partition: the files that make it.</param>
/// <param name="Description">What it is.</param>
/// <param name="Side">Which of its sides.</param>
/// <param name="Calls">The aggregates whose values are given; null for states as they are.</param>
/// <param name="Batch">The batch.</param>
internal sealed record StateContents(string Folder, string[][] Chains, StateDescription Description, int Side, ValueList<AggregateCall>? Calls, long Batch)
{
    private StateSide Columns => Description.Sides[Side];

    // Start and end of sessions stand between their keys and the states.
    private int Plain => Columns.Values.Length - Description.Aggregates.Sum(each => each.States);

    /// <summary>The columns.</summary>
    public Schema Schema
    {
        get
        {
            var fields = Columns.Keys.Concat(Columns.Values.Take(Plain)).Select(column => new Field(column.Name, column.TypeOf())).ToList();
            if (Calls is null) fields.AddRange(Columns.Values.Skip(Plain).Select(column => new Field(column.Name, column.TypeOf())));
            else fields.AddRange(Description.Aggregates.Zip(Calls, (each, call) => new Field(each.Name, call.Type)));

            // What a distinct keeps beside its keys is the time of one of them, mostly.
            if (Description.Kind == StateDescription.OfDistinct) fields = [.. fields.DistinctBy(each => each.Name)];
            ValueList<Field> all = [.. fields, new Field("partition", DataType.Int, Nullable: false)];
            return new Schema(all);
        }
    }

    /// <summary>The aggregates, if their values follow from what is kept; else null.</summary>
    public static ValueList<AggregateCall>? CallsOf(StateDescription description, Func<string, Sql.Builtins.AggregateFunction?> find)
    {
        var side = description.Sides[0];
        var (calls, next) = (new List<AggregateCall>(), side.Values.Length - description.Aggregates.Sum(each => each.States));
        foreach (var each in description.Aggregates)
        {
            if (each.HasConstants || find(each.Function) is not { } function) return null;
            ValueList<Expression> arguments = [.. each.Arguments.Select((type, i) => (Expression)new ColumnReference($"{i}", new StateColumn("", type).TypeOf(), true))];
            var call = new AggregateCall(function, arguments, new StateColumn("", each.Result).TypeOf());
            var states = function.StateTypes(call);
            if (!states.Select(type => type.SqlName).SequenceEqual(side.Values.Skip(next).Take(each.States).Select(column => column.Type))) return null;
            calls.Add(call);
            next += each.States;
        }
        return calls.Count == 0 && description.Kind != StateDescription.OfAggregate ? null : [.. calls];
    }

    /// <summary>The rows of a partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="context">The task.</param>
    /// <exception cref="StreamingException">A file is damaged, or gone.</exception>
    public IEnumerable<ColumnBatch> Read(int partition, TaskContext context)
    {
        var chain = Chains[partition];
        if (Description.Kind != StateDescription.OfAggregate) return Calls is null ? Rows(chain, context) : Values(Rows(chain, context), Calls, context);
        return Calls is null ? StoredGroups.Read(Columns, Folder, chain, context).Select(groups => groups.Batch) : Groups(chain, Calls, context);
    }

    private IEnumerable<ColumnBatch> Groups(string[] chain, ValueList<AggregateCall> calls, TaskContext context)
    {
        using var state = AggregateState.Load(Columns.KeyTypes(), calls, null, Folder, chain, context);
        foreach (var span in state.Spans)
        {
            foreach (var batch in state.Give(span, onlyChanged: false, context)) yield return batch;
        }
    }

    private IEnumerable<ColumnBatch> Rows(string[] chain, TaskContext context)
    {
        using var arena = new TaskArena(context, "state rows");
        using var state = new StoredRows(Description, Folder, chain, context);
        foreach (var (_, span) in state.Tables[Side].Spans)
        {
            foreach (var (batch, _) in span.Batches(0, arena, onlyThere: true)) yield return batch;
        }
    }

    // Each row is a group of its own: what is computed is its values.
    private IEnumerable<ColumnBatch> Values(IEnumerable<ColumnBatch> rows, ValueList<AggregateCall> calls, TaskContext context)
    {
        using var arena = new TaskArena(context, "state values");
        ValueList<DataType> plain = [.. Columns.Types().Take(Columns.Keys.Length + Plain)];
        var groups = new GroupStates(arena, plain, calls, givesValues: true);
        foreach (var batch in rows)
        {
            groups.Clear();
            Merge(groups, plain.Count, calls, batch);
            for (var next = 0; groups.TryGive(ref next, asStates: false, out var values);) yield return values;
        }
    }

    private static void Merge(GroupStates groups, int keys, ValueList<AggregateCall> calls, ColumnBatch batch)
    {
        var numbers = groups.Find(batch.Columns.AsSpan(0, keys), batch);
        for (var (i, next) = (0, keys); i < calls.Count; i++)
        {
            var count = calls[i].Function.StateTypes(calls[i]).Count;
            groups.Kernels[i].Merge(batch.Columns.AsSpan(next, count), batch.Selection, numbers);
            next += count;
        }
        groups.Charge();
    }
}

/// <summary>Rows of a partition, in memory: of a join those of both sides.</summary>
internal sealed class StoredRows : IDisposable
{
    public StoredRows(StateDescription description, string folder, string[] chain, TaskContext context)
    {
        Tables = [.. description.Sides.Select(side => new StateTable(side.Layout()))];
        StateTable.Load(Tables, folder, chain, context, this);
    }

    /// <summary>A table for each side.</summary>
    public StateTable[] Tables { get; }

    public void Dispose()
    {
        foreach (var table in Tables) table.Dispose();
    }
}
