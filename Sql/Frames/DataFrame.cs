using Dataflow.Sql.Analysis;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql;

/// <summary>
/// A query, not its rows: verbs and SQL texts make plans, actions optimise and run them. Immutable; running it twice computes it twice unless it is
/// cached.
/// </summary>
/// <remarks>Verbs are lazy and check names and types at once: what is wrong is a <see cref="QueryException"/> of the verb, not of the run.</remarks>
public sealed partial class DataFrame
{
    private static readonly IReadOnlyDictionary<(object Frame, ColumnId Column), ColumnId> AsTheyWere = new Dictionary<(object, ColumnId), ColumnId>();

    // Columns that a self-join gave new ids, by the frame they may be asked of.
    private readonly IReadOnlyDictionary<(object Frame, ColumnId Column), ColumnId> _renewed;

    // The plan as it was last run, if sizes that became known changed it.
    private volatile string? _lastRun;

    internal DataFrame(SqlSession session, LogicalPlan plan, string? text) : this(session, plan, text, AsTheyWere) { }

    private DataFrame(SqlSession session, LogicalPlan plan, string? text, IReadOnlyDictionary<(object, ColumnId), ColumnId> renewed)
    {
        Session = session;
        Plan = plan;
        Text = text;
        _renewed = renewed;
        Schema = new Schema(plan.Output.ConvertAll(column => new Field(column.Name, column.Type, column.Nullable)));
    }

    /// <summary>Its columns.</summary>
    public Schema Schema { get; }

    /// <summary>What its expressions are computed under, where that is not the session's: a batch of a stream has a time of its own. Verbs do not pass it on.</summary>
    internal Kernels.SessionSettings? OwnSettings { get; private init; }

    /// <summary>Where its runs are noted, for who ends them once it is over; null where they last as long as somebody refers to them.</summary>
    internal ICollection<QueryRun>? Runs { get; private init; }

    /// <summary>The same frame under settings of its own.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="runs">Gets its runs; null where they last as long as somebody refers to them.</param>
    internal DataFrame At(Kernels.SessionSettings settings, ICollection<QueryRun>? runs = null) => new(Session, Plan, Text, _renewed) { OwnSettings = settings, Runs = runs };

    /// <summary>The names of its columns.</summary>
    public IReadOnlyList<string> Columns => [.. Schema.Select(column => column.Name)];

    /// <summary>The plan, bound and not yet optimised.</summary>
    public LogicalPlan Plan { get; }

    internal SqlSession Session { get; }

    internal string? Text { get; }

    /// <summary>A column of this very frame. Behind a join of two frames it says which side is meant, which a name may not.</summary>
    /// <param name="name">Its name, without regard to case.</param>
    /// <exception cref="QueryException">There is no such column, or there are several of that name.</exception>
    public Column this[string name]
    {
        get
        {
            var bound = Binder.Bind(new NameSyntax(name), Plan, Binding());
            return new Column(bound is ColumnReference column ? new FrameColumnSyntax(this, column) : new BoundSyntax(bound));
        }
    }

    /// <summary>Gives it a name that queries of this context can read; another view of that name is replaced.</summary>
    /// <param name="name">The name.</param>
    public void CreateTempView(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Session.Catalog.Set(name, Plan);
    }

    /// <summary>What a function makes of it: for chains of one's own verbs.</summary>
    /// <param name="transform">Gets this frame.</param>
    public DataFrame Transform(Func<DataFrame, DataFrame> transform)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return transform(this);
    }

    /// <summary>What a verb of this frame is bound with.</summary>
    internal BindingContext Binding(string? text = null) => new(Session.Catalog, Session.Functions, Session.Settings())
    {
        Text = text,
        FrameColumns = column => _renewed.TryGetValue((column.Frame, column.Column.Id), out var now) ? now : column.Column.Id,
    };

    /// <summary>The same rows, as FROM takes them.</summary>
    internal PlanSyntax Source => new(Plan);

    /// <summary>A frame over this one.</summary>
    internal DataFrame With(LogicalPlan plan) => new(Session, plan, Text, _renewed);

    internal DataFrame With(BodySyntax body) => With(new QuerySyntax(body));

    internal DataFrame With(QuerySyntax query) => With(Binder.Bind(query, Binding()));

    internal static readonly ItemSyntax AllColumns = new(new StarSyntax([], []));

    private void MustShareSessionWith(DataFrame other)
    {
        if (other.Session != Session) throw new ArgumentException("The two frames are of different contexts. Read both tables with the same one.", nameof(other));
    }
}
