using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql;

/// <summary>
/// A query, not its rows: verbs and SQL texts make plans, actions optimise and run them. Immutable; running it twice computes it twice unless it is
/// cached.
/// </summary>
public sealed class DataFrame
{
    internal DataFrame(SqlSession session, LogicalPlan plan, string? text)
    {
        Session = session;
        Plan = plan;
        Text = text;
        Schema = new Schema(plan.Output.ConvertAll(column => new Field(column.Name, column.Type, column.Nullable)));
    }

    /// <summary>Its columns.</summary>
    public Schema Schema { get; }

    /// <summary>The plan, bound and not yet optimised.</summary>
    public LogicalPlan Plan { get; }

    internal SqlSession Session { get; }

    internal string? Text { get; }

    /// <summary>All rows, in this process.</summary>
    /// <remarks>Action. Memory: all rows at once, bounded by <see cref="DataflowOptions.MaxResultBytes"/>.</remarks>
    /// <exception cref="QueryException">A value can't be computed.</exception>
    public IReadOnlyList<Row> Collect() => CollectAsync().GetAwaiter().GetResult();

    /// <inheritdoc cref="Collect"/>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<Row>> CollectAsync(CancellationToken cancellationToken = default)
    {
        var (plan, run) = Session.Plan(this);
        var frames = await QueryRunErrors.Unwrap(QueryResult.CollectAsync(plan, run, cancellationToken)).ConfigureAwait(false);
        return [.. QueryResult.RowsOf(frames, Schema)];
    }

    /// <summary>Prints the first rows as a table.</summary>
    /// <remarks>Action.</remarks>
    /// <param name="rows">How many at most.</param>
    /// <param name="truncate">Most characters of a value; 0 shows all.</param>
    public void Show(int rows = 20, int truncate = 20)
    {
        var shown = new DataFrame(Session, new Limit(rows + 1L, 0, Plan), Text).Collect();
        Console.Write(TableRenderer.Render(Schema, [.. shown.Take(rows)], truncate));
        if (shown.Count > rows) Console.WriteLine($"only showing top {rows} rows");
    }

    /// <summary>Prints how it is computed.</summary>
    /// <param name="extended">Also the plan as it was bound, and as it was optimised.</param>
    public void Explain(bool extended = false) => Console.Write(ExplainText(extended));

    /// <summary>How it is computed.</summary>
    /// <param name="all">Also the plan as it was bound, and as it was optimised.</param>
    public string ExplainText(bool all = false)
    {
        var optimised = Session.Optimise(Plan);
        if (!all) return Session.Planner().Plan(optimised).ToString();
        return $"== Logical ==\n{PlanPrinter.PrintWhole(Plan)}\n== Optimized ==\n{optimised}\n== Physical ==\n{Session.Planner().Plan(optimised)}";
    }

    /// <summary>Gives it a name that queries of this context can read; another view of that name is replaced.</summary>
    /// <param name="name">The name.</param>
    public void CreateTempView(string name) => Session.Catalog.Set(name, Plan);
}
