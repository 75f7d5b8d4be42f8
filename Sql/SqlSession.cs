using System.Collections.Concurrent;
using Dataflow.Sql.Analysis;
using Dataflow.Sql.Builtins;
using Dataflow.Sql.Caching;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Optimizer;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;
using Dataflow.Sql.Writing;

namespace Dataflow.Sql;

/// <summary>What SQL remembers of a context: views, functions, settings. One for each context.</summary>
internal sealed class SqlSession
{
    // What SET wrote that nothing here reads: kept and shown, so that scripts made for Spark run.
    private readonly ConcurrentDictionary<string, string> _settings = new(StringComparer.OrdinalIgnoreCase);
    private DataflowContext? _context;

    public SqlSession()
    {
        QueryException.Register();
        Cached = new CachedPlans(this);
        Warehouse = new Warehouse(this);
        Catalog.Warehouse = Warehouse;
        Catalog.Files = OpenFiles;
        Catalog.TableFunctions = (name, arguments) => name == "range" ? RangeTable.Of(arguments, Context.DefaultParallelism) : null;
    }

    public Catalog Catalog { get; } = new();

    /// <summary>Tables that last.</summary>
    public Warehouse Warehouse { get; }

    public FunctionRegistry Functions { get; } = new(BuiltinFunctions.Registry);

    public QueryOptimizer Optimizer { get; } = new();

    /// <summary>Strategies that libraries added.</summary>
    public List<IPlanStrategy> Strategies { get; } = [];

    public string TimeZone { get; set; } = "UTC";

    /// <summary>The error class of what needs an engine where there is none.</summary>
    public const string NoEngine = "NO_ENGINE";

    public DataflowContext Context => _context ?? throw new QueryException(NoEngine,
        "The frame stands for single rows that are computed without an engine: columns can be added to it, and rows left out, but nothing can run or be broadcast.");

    /// <summary>The session of a context.</summary>
    public static SqlSession Of(DataflowContext context)
    {
        var session = context.State<SqlSession>();
        session._context = context;
        return session;
    }

    public SessionSettings Settings() => new()
    {
        TimeZone = TimeZone,
        NowMicroseconds = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / 10,
    };

    /// <summary>Understands a text; does what it says if it is a command.</summary>
    public DataFrame Run(string text, Parameters parameters) => Run(Binder.Bind(text, Catalog, Functions, Settings(), parameters), text);

    /// <summary>What frames keep.</summary>
    public CachedPlans Cached { get; }

    /// <summary>The plan as it is computed: it reads what is kept.</summary>
    /// <param name="plan">A bound plan.</param>
    /// <param name="except">Something kept that it does not read.</param>
    public LogicalPlan Optimise(LogicalPlan plan, CachedFrame? except = null) => Optimizer.Optimise(Cached.Replace(plan, except));

    /// <summary>As <see cref="Optimise"/>, of a plan over streams.</summary>
    internal LogicalPlan OptimiseStream(LogicalPlan plan) => Optimizer.ForStreams().Optimise(Cached.Replace(plan, null));

    /// <summary>Changes what plans go by, for tests that want a join done one way or the other; null for nothing.</summary>
    internal Func<PlannerOptions, PlannerOptions>? Planning { get; set; }

    public Planner Planner()
    {
        var options = PlannerOptions.For(Context) with { Strategies = Strategies };
        return new Planner(Planning?.Invoke(options) ?? options);
    }

    /// <summary>How a frame is computed, and a run of it.</summary>
    public (PhysicalPlan Plan, QueryRun Run) Plan(DataFrame frame)
    {
        var run = new QueryRun(Context, new QueryScope(frame.OwnSettings ?? Settings(), frame.Text));
        frame.Runs?.Add(run);
        return (Planner().Plan(Optimise(frame.Plan)), run);
    }

    private DataFrame Run(Statement statement, string text)
    {
        switch (statement)
        {
            case QueryStatement query: return new DataFrame(this, query.Plan, text);
            case ExplainStatement explain: return Explain(explain);
            case CreateViewStatement view:
                CreateView(view);
                return Answer([], []);
            case DropViewStatement drop:
                Catalog.Remove(drop.Name);
                return Answer([], []);
            case CreateTableStatement or InsertStatement or DropTableStatement:
                Change(statement, text);
                return Answer([], []);
            case ListStatement list: return Answer([list.Column], list.Names.Select(name => new[] { name }));
            case DescribeStatement describe:
                return Answer(["col_name", "data_type", "nullable"], describe.Schema.Select(field => new[] { field.Name, field.Type.SqlName, field.Nullable ? "true" : "false" }));
            case SetTimeZoneStatement set:
                TimeZone = set.Zone;
                return Answer([], []);
            case SetStatement { Value: { } value } set:
                if (set.Key!.EndsWith("sql.warehouse.dir", StringComparison.OrdinalIgnoreCase)) Warehouse.Folder = value.Trim('\'', '"');
                _settings[set.Key!] = value;
                return Answer(["key", "value"], [[set.Key!, value]]);
            case SetStatement set:
                var shown = _settings.Where(each => set.Key is null || string.Equals(each.Key, set.Key, StringComparison.OrdinalIgnoreCase)).Select(each => new[] { each.Key, each.Value });
                return Answer(["key", "value"], set.Key is null || _settings.ContainsKey(set.Key) ? shown : [[set.Key, "<undefined>"]]);
            case ResetStatement reset:
                if (reset.Key is null) _settings.Clear();
                else _settings.TryRemove(reset.Key, out _);
                return Answer([], []);
            case NothingStatement: return Answer([], []);
            default: throw new QueryException("UNSUPPORTED_FEATURE", $"Nothing carries out {statement.GetType().Name} yet.");
        }
    }

    private void CreateView(CreateViewStatement view)
    {
        if (view.Replaces) Catalog.Set(view.Name, view.Plan);
        else if (!Catalog.TryAdd(view.Name, view.Plan) && !view.IfNotExists)
            throw new QueryException("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", $"There is a view '{view.Name}' already. Write CREATE OR REPLACE TEMP VIEW, or drop it first.");
    }

    // Done when the statement is given, as Spark does: it has no rows that anyone would ask for.
    private void Change(Statement statement, string text)
    {
        switch (statement)
        {
            case CreateTableStatement create:
                var mode = create.Replaces ? SaveMode.Overwrite : create.IfNotExists ? SaveMode.Ignore : SaveMode.ErrorIfExists;
                Warehouse.WriteAsync(create.Name, new DataFrame(this, create.Plan, text), new WriteOptions(mode, []), CancellationToken.None).GetAwaiter().GetResult();
                break;
            case InsertStatement insert:
                Warehouse.InsertAsync(insert.Name, new DataFrame(this, insert.Plan, text), insert.Columns, insert.Overwrites).GetAwaiter().GetResult();
                break;
            case DropTableStatement drop:
                Warehouse.Drop(drop.Name);
                break;
        }
    }

    private DataFrame Explain(ExplainStatement explain)
    {
        var plan = explain.Inner switch
        {
            QueryStatement query => query.Plan,
            CreateTableStatement create => create.Plan,
            InsertStatement insert => insert.Plan,
            _ => null,
        };
        if (plan is null) return Answer(["plan"], [[explain.Inner.GetType().Name]]);
        var text = new DataFrame(this, plan, null).ExplainText(all: explain.Mode is ExplainMode.Extended or ExplainMode.Cost);
        return Answer(["plan"], [[text]]);
    }

    private DataFrame Answer(string[] columns, IEnumerable<string[]> rows)
    {
        ValueList<Expressions.ColumnReference> output = [.. columns.Select(name => new Expressions.ColumnReference(name, DataType.String, false))];
        ValueList<ValueList<Expressions.Expression>> values =
            [.. rows.Select(row => new ValueList<Expressions.Expression>(row.Select(value => new Expressions.Literal(value, DataType.String))))];
        return new DataFrame(this, new Values(values, output), null);
    }

    private ITable? OpenFiles(string format, string path) => format.ToLowerInvariant() switch
    {
        "parquet" => ParquetTable.Open(path, TimeZone),
        "csv" => CsvTable.Open(path, timeZone: TimeZone),
        "json" => JsonTable.Open(path, timeZone: TimeZone),
        "text" => TextTable.Open(path),
        _ => null,
    };
}
