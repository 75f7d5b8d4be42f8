using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>A statement that is understood: a query, or something to do.</summary>
internal abstract record Statement;

/// <summary>A query. Its columns' names are those of the plan's output.</summary>
/// <param name="Plan">The plan.</param>
internal sealed record QueryStatement(LogicalPlan Plan) : Statement;

/// <summary>How much EXPLAIN shows.</summary>
internal enum ExplainMode
{
    /// <summary>The physical plan.</summary>
    Simple,

    /// <summary>The plan as bound, as optimised, and the physical one.</summary>
    Extended,

    /// <summary>The physical plan, with what each of its parts reads and computes below it.</summary>
    Formatted,

    /// <summary>The optimised plan with what is known of sizes.</summary>
    Cost,
}

/// <summary>Shows how a statement would be computed.</summary>
/// <param name="Mode">How much of it.</param>
/// <param name="Inner">The statement.</param>
internal sealed record ExplainStatement(ExplainMode Mode, Statement Inner) : Statement;

/// <summary>Makes a temporary view.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Plan">What it stands for.</param>
/// <param name="Replaces">Whether it takes the place of one of the same name; else that is an error.</param>
/// <param name="IfNotExists">Whether one of the same name is left as it is.</param>
internal sealed record CreateViewStatement(string Name, LogicalPlan Plan, bool Replaces, bool IfNotExists) : Statement;

/// <summary>Forgets a temporary view.</summary>
/// <param name="Name">Its name.</param>
internal sealed record DropViewStatement(string Name) : Statement;

/// <summary>Makes a table that lasts.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Plan">Its rows.</param>
/// <param name="Replaces">Whether it takes the place of one of the same name; else that is an error.</param>
/// <param name="IfNotExists">Whether one of the same name is left as it is.</param>
internal sealed record CreateTableStatement(string Name, LogicalPlan Plan, bool Replaces, bool IfNotExists) : Statement;

/// <summary>Adds rows to a table that lasts.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Plan">The rows.</param>
/// <param name="Columns">Which of its columns they have; empty for all.</param>
/// <param name="Overwrites">Whether they take the place of those that are there.</param>
internal sealed record InsertStatement(string Name, LogicalPlan Plan, ValueList<string> Columns, bool Overwrites) : Statement;

/// <summary>Deletes a table that lasts.</summary>
/// <param name="Name">Its name.</param>
internal sealed record DropTableStatement(string Name) : Statement;

/// <summary>Lists names in a column.</summary>
/// <param name="Column">What the column is called.</param>
/// <param name="Names">The names.</param>
internal sealed record ListStatement(string Column, IReadOnlyList<string> Names) : Statement;

/// <summary>Lists the columns of a table or query.</summary>
/// <param name="Schema">The columns.</param>
internal sealed record DescribeStatement(Schema Schema) : Statement;

/// <summary>Sets the session's time zone.</summary>
/// <param name="Zone">An IANA name or an offset, known to exist.</param>
internal sealed record SetTimeZoneStatement(string Zone) : Statement;

/// <summary>Sets a setting of the session, or shows it.</summary>
/// <param name="Key">The key; null to show all.</param>
/// <param name="Value">The value; null to show it.</param>
internal sealed record SetStatement(string? Key, string? Value) : Statement;

/// <summary>Gives a setting of the session its default back.</summary>
/// <param name="Key">The key; null for all.</param>
internal sealed record ResetStatement(string? Key) : Statement;

/// <summary>Nothing to do: DROP VIEW IF EXISTS of a view that is not there.</summary>
internal sealed record NothingStatement : Statement;
