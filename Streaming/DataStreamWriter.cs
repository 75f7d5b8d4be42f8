using Dataflow.Sql.Plans;
using Dataflow.Sql.Warehousing;
using Dataflow.Streaming.Sinks;
using Dataflow.Streaming.Sources;

namespace Dataflow.Streaming;

/// <summary>Starts queries over streams.</summary>
public sealed class DataStreamWriter
{
    private readonly DataFrame _frame;

    internal DataStreamWriter(DataFrame frame) => _frame = frame;

    /// <summary>Starts a query, which goes on in the background until it is stopped, or ends by its trigger, or fails.</summary>
    /// <remarks>What was begun with the same checkpoint goes on where it was, whatever ended it: a batch that was under way is computed again from the same rows.</remarks>
    /// <param name="sink">Where rows go.</param>
    /// <param name="options">Checkpoint, trigger, output mode; null for the defaults, without a checkpoint that outlives the query.</param>
    /// <exception cref="QueryException">The frame reads no stream, or is one that can't be computed batch by batch: says which part, and what would do.</exception>
    /// <exception cref="StreamingException">The checkpoint is of another query, in use, or damaged, or can't be written.</exception>
    public StreamingQuery Start(IStreamSink sink, StreamingQueryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sink);
        return StreamingQuery.Start(_frame, sink, options ?? new StreamingQueryOptions());
    }

    /// <summary>Starts a query that adds its rows to a table that lasts (<see cref="Warehouse"/>), each exactly once; the table is made if it is not there.</summary>
    /// <remarks>Each batch appears in the table whole, when it is on the disk: <c>context.Table(name)</c> and SQL see whole batches only. Append mode only, as rows of a table do not change. Columns go by name. A
    /// table takes one stream, known by its checkpoint, and any number of inserts besides. Other queries may read it as a stream (<see cref="DataStreamReader.Table"/>): a batch that runs again leaves what is there as it is.</remarks>
    /// <param name="name">Letters, digits and <c>_</c>.</param>
    /// <param name="options">As for <see cref="Start"/>.</param>
    /// <exception cref="QueryException">As for <see cref="Start"/>; or the mode is not append, or the table has other columns.</exception>
    /// <exception cref="StreamingException">As for <see cref="Start"/>. Of a batch: the table has the batches of another stream (<c>SINK_OF_OTHER_QUERY</c>), or batches of this one that its checkpoint, an older copy, does not know of (<c>SINK_AHEAD_OF_CHECKPOINT</c>), or was dropped, and perhaps made again (<c>SINK_WITHOUT_TABLE</c>).</exception>
    public StreamingQuery ToTable(string name, StreamingQueryOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        options ??= new StreamingQueryOptions();
        if (options.OutputMode != OutputMode.Append)
            throw new QueryException("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", $"The table '{name}' keeps each row as it is, and {options.OutputMode.ToString().ToLowerInvariant()} mode gives groups again with new values. Use append mode, or ForeachBatch to write the last answer with SaveAsTable.");
        var warehouse = _frame.Session.Warehouse;
        if (warehouse.Find(name) is { } folder && _frame.Plan.Parts().Any(part => part is Scan { Table: StreamTable { Source: TableStreamSource read } } && read.Folder == folder))
            throw new QueryException("UNSUPPORTED_STREAMING_OPERATION", $"The query reads the table '{name}' as a stream, and would read each row that it adds to it: it would never have an end. Write to another table.");
        if (warehouse.Open(name) is { } table) return Start(table.Schema);
        warehouse.CreateAsync(name, _frame.Schema, CancellationToken.None).GetAwaiter().GetResult();
        try
        {
            // By the types that the files have, as a later start finds them.
            return Start(warehouse.Open(name)!.Schema);
        }
        catch
        {
            warehouse.Drop(name);
            throw;
        }

        StreamingQuery Start(Schema columns) => StreamingQuery.Start(TableColumns.ByName(_frame, columns, name), new TableSink(warehouse, name, columns), options);
    }

    /// <summary>Starts a query that gives each batch to code of the program, in the driver.</summary>
    /// <remarks>The code may be given a batch again after a failure, with the same number and the same rows: who writes elsewhere keeps the number with the rows.</remarks>
    /// <param name="write">Gets the rows of a batch as a frame, and its number from 0. The frame can be read as often as wanted, until the code ends.</param>
    /// <param name="options">As for <see cref="Start"/>.</param>
    /// <inheritdoc cref="Start" path="/exception"/>
    public StreamingQuery ForeachBatch(Func<DataFrame, long, Task> write, StreamingQueryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(write);
        return Start(new ForeachBatchSink(write), options);
    }

    /// <summary>Starts a query that gives its rows to objects of the program, in the tasks that have them: on executors, if there are any.</summary>
    /// <remarks>At least once, as <see cref="IRowWriter"/> says.</remarks>
    /// <param name="make">Makes a writer, in a task, for a partition of a batch. It travels to executors, so it must not hold what can't.</param>
    /// <param name="options">As for <see cref="Start"/>.</param>
    /// <inheritdoc cref="Start" path="/exception"/>
    public StreamingQuery Foreach([RunsInTasks] Func<IRowWriter> make, StreamingQueryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(make);
        return Start(new ForeachSink(make), options);
    }
}
