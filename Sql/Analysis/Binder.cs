using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>Gives statements their meaning: text, or a syntax tree, to a <see cref="LogicalPlan"/>. The door of this folder.</summary>
internal static class Binder
{
    /// <summary>Reads and binds a statement.</summary>
    /// <param name="sql">The text: one statement, which a semicolon may end.</param>
    /// <param name="catalog">What names in FROM stand for. Not changed: statements that change it say so in what they return.</param>
    /// <param name="functions">What may be called.</param>
    /// <param name="session">The session's settings.</param>
    /// <param name="parameters">Values of ? or :name.</param>
    /// <exception cref="QueryException">The text is wrong; says where and what would be right.</exception>
    public static Statement Bind(string sql, Catalog catalog, FunctionRegistry functions, SessionSettings session, Parameters? parameters = null) =>
        Bind(Parser.ParseStatement(sql), new BindingContext(catalog, functions, session) { Text = sql, Parameters = parameters ?? Parameters.None });

    /// <summary>Binds a query whose syntax tree was made by the program: the verbs of a <c>DataFrame</c>.</summary>
    /// <exception cref="QueryException">It is wrong.</exception>
    public static LogicalPlan Bind(QuerySyntax query, BindingContext context) =>
        SeparateSubqueries.Apply(new QueryBinder(context, null, CommonTables.None).Bind(query));

    /// <summary>Binds an expression over the columns of a plan.</summary>
    /// <param name="expression">The expression; no aggregates or window functions.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="context">What it is bound with.</param>
    /// <exception cref="QueryException">It is wrong.</exception>
    public static Expression Bind(ExpressionSyntax expression, LogicalPlan plan, BindingContext context)
    {
        var scope = new Scope([.. plan.Output.Select(column => new ScopeColumn(column, column.Qualifier))]);
        return new ExpressionBinder(context, scope, CommonTables.None) { Clause = "this expression" }.Bind(expression);
    }

    /// <summary>Binds a condition over the columns of a plan.</summary>
    /// <inheritdoc cref="Bind(ExpressionSyntax, LogicalPlan, BindingContext)"/>
    public static Expression BindCondition(ExpressionSyntax condition, LogicalPlan plan, BindingContext context)
    {
        var scope = new Scope([.. plan.Output.Select(column => new ScopeColumn(column, column.Qualifier))]);
        return new ExpressionBinder(context, scope, CommonTables.None) { Clause = "WHERE" }.BindCondition(condition);
    }

    private static Statement Bind(StatementSyntax syntax, BindingContext context) => syntax switch
    {
        QueryStatementSyntax statement => new QueryStatement(Bind(statement.Query, context)),
        ExplainSyntax explain => new ExplainStatement(ModeOf(explain.Mode), Bind(explain.Statement, context)),
        CreateViewSyntax create => CreateView(create, context),
        DropViewSyntax drop => DropView(drop, context),
        CreateTableSyntax create => CreateTable(create, context),
        InsertSyntax insert => Insert(insert, context),
        DropTableSyntax drop => DropTable(drop, context),
        ShowSyntax show => Show(show, context),
        ShowColumnsSyntax show => new ListStatement("col_name", [.. Describe(new DescribeSyntax(show.Source), context).Schema.Select(field => field.Name)]),
        DescribeFunctionSyntax describe => DescribeFunction(describe, context),
        UseSyntax { Schema: var schema } use => schema.Equals("default", StringComparison.OrdinalIgnoreCase)
            ? new NothingStatement()
            : throw context.Error("SCHEMA_NOT_FOUND", $"There is no schema '{schema}': there is 'default' only.", use.Position),
        DescribeSyntax describe => Describe(describe, context),
        SetTimeZoneSyntax zone => SetTimeZone(zone.Zone ?? TimeZoneInfo.Local.Id, zone.Position, context),
        SetSettingSyntax { Key: { } key, Value: { } value } set when key.EndsWith("sql.session.timeZone", StringComparison.OrdinalIgnoreCase) =>
            SetTimeZone(value, set.Position, context),
        SetSettingSyntax set => new SetStatement(set.Key, set.Value),
        ResetSyntax reset => new ResetStatement(reset.Key),
        _ => throw new InvalidOperationException($"The binder does not know {syntax.GetType().Name}. This is a bug; please report it."),
    };

    private static ExplainMode ModeOf(string mode) => mode switch
    {
        "EXTENDED" or "LOGICAL" => ExplainMode.Extended,
        "FORMATTED" => ExplainMode.Formatted,
        "COST" => ExplainMode.Cost,
        _ => ExplainMode.Simple,
    };

    private static CreateViewStatement CreateView(CreateViewSyntax create, BindingContext context)
    {
        if (!create.Replaces && !create.IfNotExists && context.Catalog.Contains(create.Name))
        {
            throw context.Error(
                "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
                $"There is a view '{create.Name}' already. Write CREATE OR REPLACE TEMP VIEW to replace it.",
                create.Position);
        }
        var plan = QueryBinder.Renamed(Bind(create.Query, context), create.Columns, create.Name, create.Position, context);
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var column in plan.Output)
        {
            if (!names.Add(column.Name))
            {
                throw context.Error(
                    "COLUMN_ALREADY_EXISTS",
                    $"The view '{create.Name}' would have two columns '{column.Name}'. Give one another name with AS.",
                    create.Position);
            }
        }
        return new CreateViewStatement(create.Name, plan, create.Replaces, create.IfNotExists);
    }

    private static Statement DropView(DropViewSyntax drop, BindingContext context)
    {
        if (context.Catalog.Contains(drop.Name)) return new DropViewStatement(drop.Name);
        if (context.Catalog.Warehouse?.Contains(drop.Name) == true) throw context.Error("EXPECT_VIEW_NOT_TABLE", $"'{drop.Name}' is a table. Write DROP TABLE {drop.Name} to delete it with its rows.", drop.Position);
        if (drop.IfExists) return new NothingStatement();
        throw context.Error("TABLE_OR_VIEW_NOT_FOUND", $"There is no view '{drop.Name}'.{Suggest.Hint(drop.Name, context.Catalog.ViewNames)}", drop.Position);
    }

    private static CreateTableStatement CreateTable(CreateTableSyntax create, BindingContext context)
    {
        if (create.Query is not null) return new CreateTableStatement(create.Name, Bind(create.Query, context), create.Replaces, create.IfNotExists);
        ValueList<ColumnReference> columns = [.. create.Fields.Select(field => new ColumnReference(field.Name, field.Type, field.Nullable))];
        return new CreateTableStatement(create.Name, new Values([], columns), create.Replaces, create.IfNotExists);
    }

    private static InsertStatement Insert(InsertSyntax insert, BindingContext context) => context.Catalog.Warehouse?.Contains(insert.Name) == true
        ? new InsertStatement(insert.Name, Bind(insert.Query, context), insert.Columns, insert.Overwrites)
        : throw NoTable(insert.Name, " CREATE TABLE name AS query makes one.", insert.Position, context);

    // Until there were tables that last, DROP TABLE dropped views, as it does in Spark.
    private static Statement DropTable(DropTableSyntax drop, BindingContext context)
    {
        if (context.Catalog.Warehouse?.Contains(drop.Name) == true) return new DropTableStatement(drop.Name);
        if (context.Catalog.Contains(drop.Name)) return new DropViewStatement(drop.Name);
        return drop.IfExists ? new NothingStatement() : throw NoTable(drop.Name, "", drop.Position, context);
    }

    private static QueryException NoTable(string name, string next, int position, BindingContext context)
    {
        var known = context.Catalog.Warehouse?.Names ?? [];
        var there = context.Catalog.Contains(name) ? $" '{name}' is a view, which has no rows of its own." : known.Count == 0 ? " There are no tables yet." : $" There are: {Suggest.Some(known)}.";
        return context.Error("TABLE_OR_VIEW_NOT_FOUND", $"There is no table '{name}'.{there}{Suggest.Hint(name, known)}{next}", position);
    }

    private static ListStatement Show(ShowSyntax show, BindingContext context)
    {
        var (column, names) = show.Kind switch
        {
            ShowKind.Functions => ("function", context.Functions.Names.Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal)),
            ShowKind.Databases => ("namespace", ["default"]),
            ShowKind.Views => ("viewName", context.Catalog.ViewNames),
            _ => ("tableName", (IEnumerable<string>)context.Catalog.Names),
        };
        return new ListStatement(column, [.. names.Where(name => Matches(name, show.Pattern))]);
    }

    private static bool Matches(string name, string? pattern) => pattern is null || pattern.Split('|').Any(each =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(each.Trim(), name, ignoreCase: true));

    private static ListStatement DescribeFunction(DescribeFunctionSyntax describe, BindingContext context)
    {
        var (usage, summary) = context.Functions.FindScalar(describe.Name) is { } scalar ? (scalar.Usage, scalar.Summary)
            : context.Functions.FindAggregate(describe.Name) is { } aggregate ? (aggregate.Usage, aggregate.Summary)
            : context.Functions.FindWindow(describe.Name) is { } window ? (window.Usage, window.Summary)
            : throw context.Error("UNRESOLVED_ROUTINE", $"There is no function '{describe.Name}'.{Suggest.Hint(describe.Name, context.Functions.Names)}", describe.Position);
        return new ListStatement("function_desc", [$"Function: {describe.Name.ToLowerInvariant()}", $"Usage: {usage} - {summary}"]);
    }

    private static DescribeStatement Describe(DescribeSyntax describe, BindingContext context)
    {
        var (plan, _) = new FromBinder(context, null, CommonTables.None).Bind(describe.Source);
        return new DescribeStatement(new Schema(plan.Output.ConvertAll(column => new Field(column.Name, column.Type, column.Nullable))));
    }

    private static SetTimeZoneStatement SetTimeZone(string zone, int position, BindingContext context) => Zone.Find(zone) is not null
        ? new SetTimeZoneStatement(zone)
        : throw context.Error("INVALID_TIMEZONE", $"There is no time zone '{zone}'. Use a name such as 'Europe/Berlin' or an offset such as '+02:00'.", position);
}
