using System.Runtime.CompilerServices;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Records;

namespace Dataflow.Sql;

public sealed partial class DataFrame
{
    /// <summary>Writes it to files.</summary>
    public DataFrameWriter Write => new(this, SaveMode.ErrorIfExists);

    /// <summary>All rows, in this process.</summary>
    /// <remarks>Action. Memory: all rows at once, bounded by <see cref="DataflowOptions.MaxResultBytes"/>.</remarks>
    /// <exception cref="QueryException">A value can't be computed.</exception>
    public IReadOnlyList<Row> Collect() => CollectAsync().GetAwaiter().GetResult();

    /// <inheritdoc cref="Collect()"/>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<Row>> CollectAsync(CancellationToken cancellationToken = default) =>
        [.. QueryResult.RowsOf(await FramesAsync(cancellationToken).ConfigureAwait(false), Schema, Session.TimeZone)];

    /// <summary>All rows as objects of the program, in this process.</summary>
    /// <remarks>Action. Memory: all rows at once, bounded by <see cref="DataflowOptions.MaxResultBytes"/>.</remarks>
    /// <typeparam name="T">A record or class: columns go to parameters of its constructor and to properties that can be set, by name without regard to
    /// case. Or a tuple, by position. Or, for a frame of one column, the type of a value.</typeparam>
    /// <exception cref="QueryException">A column is missing, does not fit its member, or is null where the member can't be.</exception>
    public IReadOnlyList<T> Collect<T>() => CollectAsync<T>().GetAwaiter().GetResult();

    /// <inheritdoc cref="Collect{T}()"/>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<T>> CollectAsync<T>(CancellationToken cancellationToken = default)
    {
        var mapper = RecordMapper<T>.For(Schema);
        return [.. QueryResult.RecordsOf(await FramesAsync(cancellationToken).ConfigureAwait(false), Schema, mapper)];
    }

    /// <summary>The rows one by one, partition after partition, while the next partition is already being computed.</summary>
    /// <remarks>Action, a job a partition; planned and run anew by each loop over it. Memory: at most two partitions. What executors keep for the query is
    /// dropped when the loop ends, also when it is left early.</remarks>
    public IEnumerable<Row> ToEnumerable()
    {
        using var run = new QueryFrames(this);
        foreach (var row in QueryResult.RowsOf(run.All(), Schema, Session.TimeZone)) yield return row;
    }

    /// <inheritdoc cref="ToEnumerable()"/>
    /// <typeparam name="T">As for <see cref="Collect{T}()"/>.</typeparam>
    public IEnumerable<T> ToEnumerable<T>()
    {
        return Records(RecordMapper<T>.For(Schema));

        IEnumerable<T> Records(RecordMapper<T> mapper)
        {
            using var run = new QueryFrames(this);
            foreach (var record in QueryResult.RecordsOf(run.All(), Schema, mapper)) yield return record;
        }
    }

    /// <inheritdoc cref="ToEnumerable()"/>
    /// <param name="cancellationToken">Cancels the query and ends the sequence.</param>
    public async IAsyncEnumerable<Row> ToAsyncEnumerable([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var run = new QueryFrames(this);
        await foreach (var frame in run.AllAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var row in QueryResult.RowsOf([frame], Schema, Session.TimeZone)) yield return row;
        }
    }

    /// <inheritdoc cref="ToEnumerable{T}()"/>
    /// <param name="cancellationToken">Cancels the query and ends the sequence.</param>
    public async IAsyncEnumerable<T> ToAsyncEnumerable<T>([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var mapper = RecordMapper<T>.For(Schema);
        using var run = new QueryFrames(this);
        await foreach (var frame in run.AllAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var record in QueryResult.RecordsOf([frame], Schema, mapper)) yield return record;
        }
    }

    /// <summary>The rows as an Rdd of objects of the program.</summary>
    /// <remarks>Transformation: the plan is optimised now, and computed when the Rdd is. What executors keep for it (the rows that were exchanged, tables of
    /// joins) stays for the next job, until nothing refers to the Rdd, or to one made of it, any more.</remarks>
    /// <typeparam name="T">As for <see cref="Collect{T}()"/>.</typeparam>
    /// <exception cref="QueryException">A column is missing, or does not fit its member.</exception>
    public Rdd<T> ToRdd<T>()
    {
        _ = RecordMapper<T>.For(Schema);
        var (plan, run) = Session.Plan(this);
        return new RecordsRdd<T>(plan.ToRdd(run), Schema);
    }

    /// <summary>The rows as columns, partition by partition, turned into elements of an Rdd: for code that wants no object a row.</summary>
    /// <remarks>Transformation, narrow: the plan is optimised now, and computed when the Rdd is. What executors keep for it stays as for <see cref="ToRdd{T}"/>.</remarks>
    /// <typeparam name="T">What a partition becomes.</typeparam>
    /// <param name="transform">Gets the batches of a partition in order. Each is lent until the next is asked for, and may hold rows that do not count
    /// (<see cref="Columns.ColumnBatch.Selection"/> names those that do).</param>
    public Rdd<T> MapBatches<T>([RunsInTasks] Func<IEnumerable<Columns.ColumnBatch>, IEnumerable<T>> transform)
    {
        ArgumentNullException.ThrowIfNull(transform);
        var (plan, run) = Session.Plan(this);
        return plan.ToRdd(run).MapPartitions(transform);
    }

    /// <inheritdoc cref="MapBatches{T}(Func{IEnumerable{Columns.ColumnBatch}, IEnumerable{T}})"/>
    /// <param name="transform">Gets the partition's index, and its batches as above.</param>
    public Rdd<T> MapBatches<T>([RunsInTasks] Func<int, IEnumerable<Columns.ColumnBatch>, IEnumerable<T>> transform)
    {
        ArgumentNullException.ThrowIfNull(transform);
        var (plan, run) = Session.Plan(this);
        return plan.ToRdd(run).MapPartitionsWithIndex(transform);
    }

    /// <summary>How many rows there are.</summary>
    /// <remarks>Action.</remarks>
    public long Count() => (long)Select(Functions.Count()).Collect()[0][0]!;

    /// <summary>The first row: of a sorted frame the smallest, of another any.</summary>
    /// <remarks>Action.</remarks>
    /// <exception cref="InvalidOperationException">There is no row.</exception>
    public Row First() => Take(1) is [var row] ? row : throw new InvalidOperationException("The frame has no rows, so there is no first one. Ask IsEmpty() before, or use Take(1).");

    /// <summary>Some rows: the first of a sorted frame, any of another.</summary>
    /// <remarks>Action.</remarks>
    /// <param name="count">How many at most.</param>
    public IReadOnlyList<Row> Take(int count) => Limit(count).Collect();

    /// <inheritdoc cref="Take"/>
    public IReadOnlyList<Row> Head(int count = 1) => Take(count);

    /// <summary>Whether there are no rows.</summary>
    /// <remarks>Action: stops at the first row.</remarks>
    public bool IsEmpty() => Take(1).Count == 0;

    /// <summary>Prints the first rows as a table.</summary>
    /// <remarks>Action.</remarks>
    /// <param name="rows">How many at most.</param>
    /// <param name="truncate">Most characters of a value; 0 shows all.</param>
    public void Show(int rows = 20, int truncate = 20) => Console.Write(ShowText(rows, truncate));

    /// <summary>The first rows as a table: what <see cref="Show"/> prints.</summary>
    /// <remarks>Action.</remarks>
    /// <param name="rows">How many at most.</param>
    /// <param name="truncate">Most characters of a value; 0 shows all.</param>
    public string ShowText(int rows = 20, int truncate = 20)
    {
        var shown = With(new Limit(rows + 1L, 0, Plan)).Collect();
        var table = TableRenderer.Render(Schema, [.. shown.Take(rows)], truncate);
        return shown.Count > rows ? $"{table}only showing top {rows} rows\n" : table;
    }

    /// <summary>Prints the columns with their types.</summary>
    public void PrintSchema() => Console.Write("root\n" + string.Concat(Schema.Select(field => $" |-- {field.Name}: {field.Type} (nullable = {(field.Nullable ? "true" : "false")})\n")));

    /// <summary>Prints how it is computed.</summary>
    /// <param name="extended">Also the plan as it was bound, and as it was optimised.</param>
    public void Explain(bool extended = true) => Console.Write(ExplainText(extended));

    /// <summary>How it is computed.</summary>
    /// <param name="all">Also the plan as it was bound, as it was optimised, and, if this frame was collected, as it was changed while it ran.</param>
    public string ExplainText(bool all = false)
    {
        var optimised = Session.Optimise(Plan);
        if (!all) return Session.Planner().Plan(optimised).ToString();
        var text = $"== Logical ==\n{PlanPrinter.PrintWhole(Plan)}\n== Optimized ==\n{optimised}\n== Physical ==\n{Session.Planner().Plan(optimised)}";
        return _lastRun is { } run ? $"{text}\n== Last run ==\n{run}" : text;
    }

    private async Task<IReadOnlyList<byte[]>> FramesAsync(CancellationToken cancellationToken)
    {
        var (plan, run) = Session.Plan(this);
        using var ends = run;
        var frames = await QueryRunErrors.Unwrap(QueryResult.CollectAsync(plan, run, Session.Planner().Options, cancellationToken)).ConfigureAwait(false);
        _lastRun = run.Describe(plan);
        return frames;
    }
}
