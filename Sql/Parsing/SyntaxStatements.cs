namespace Dataflow.Sql.Parsing;

/// <summary>A statement as it was written.</summary>
internal abstract record StatementSyntax
{
    /// <summary>First character of what it is about.</summary>
    public int Position { get; init; } = -1;
}

/// <summary>A query.</summary>
/// <param name="Query">The query.</param>
internal sealed record QueryStatementSyntax(QuerySyntax Query) : StatementSyntax;

/// <summary>EXPLAIN.</summary>
/// <param name="Mode">EXTENDED, FORMATTED, ... in upper case; empty where nothing is written.</param>
/// <param name="Statement">What is explained.</param>
internal sealed record ExplainSyntax(string Mode, StatementSyntax Statement) : StatementSyntax;

/// <summary>CREATE TEMP VIEW.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Names of its columns; empty for the query's.</param>
/// <param name="Replaces">OR REPLACE.</param>
/// <param name="IfNotExists">IF NOT EXISTS.</param>
/// <param name="Query">The query.</param>
internal sealed record CreateViewSyntax(string Name, ValueList<string> Columns, bool Replaces, bool IfNotExists, QuerySyntax Query) : StatementSyntax;

/// <summary>DROP VIEW.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IfExists">IF EXISTS.</param>
internal sealed record DropViewSyntax(string Name, bool IfExists) : StatementSyntax;

/// <summary>CREATE TABLE.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Fields">Its columns, where there is no query.</param>
/// <param name="Replaces">OR REPLACE.</param>
/// <param name="IfNotExists">IF NOT EXISTS.</param>
/// <param name="Query">Its rows; null for none.</param>
internal sealed record CreateTableSyntax(string Name, ValueList<Field> Fields, bool Replaces, bool IfNotExists, QuerySyntax? Query) : StatementSyntax;

/// <summary>INSERT INTO and INSERT OVERWRITE.</summary>
/// <param name="Name">The table.</param>
/// <param name="Columns">Which of its columns; empty for all.</param>
/// <param name="Overwrites">Whether the rows take the place of those that are there.</param>
/// <param name="Query">The rows.</param>
internal sealed record InsertSyntax(string Name, ValueList<string> Columns, bool Overwrites, QuerySyntax Query) : StatementSyntax;

/// <summary>DROP TABLE.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IfExists">IF EXISTS.</param>
internal sealed record DropTableSyntax(string Name, bool IfExists) : StatementSyntax;

/// <summary>What SHOW lists.</summary>
internal enum ShowKind
{
    /// <summary>Views and tables.</summary>
    Tables,

    /// <summary>Views.</summary>
    Views,

    /// <summary>Functions.</summary>
    Functions,

    /// <summary>Schemas, of which there is one.</summary>
    Databases,
}

/// <summary>SHOW TABLES, SHOW VIEWS, SHOW FUNCTIONS, SHOW DATABASES.</summary>
/// <param name="Kind">What is listed.</param>
/// <param name="Pattern">LIKE; null for all.</param>
internal sealed record ShowSyntax(ShowKind Kind, string? Pattern) : StatementSyntax;

/// <summary>SHOW COLUMNS.</summary>
/// <param name="Source">The table.</param>
internal sealed record ShowColumnsSyntax(SourceSyntax Source) : StatementSyntax;

/// <summary>DESCRIBE FUNCTION.</summary>
/// <param name="Name">The function.</param>
internal sealed record DescribeFunctionSyntax(string Name) : StatementSyntax;

/// <summary>USE.</summary>
/// <param name="Schema">The schema.</param>
internal sealed record UseSyntax(string Schema) : StatementSyntax;

/// <summary>DESCRIBE.</summary>
/// <param name="Source">The table, or a query.</param>
internal sealed record DescribeSyntax(SourceSyntax Source) : StatementSyntax;

/// <summary>SET TIME ZONE.</summary>
/// <param name="Zone">The zone; null for LOCAL.</param>
internal sealed record SetTimeZoneSyntax(string? Zone) : StatementSyntax;

/// <summary>SET, SET key, SET key = value.</summary>
/// <param name="Key">The key; null for all.</param>
/// <param name="Value">The value; null to show it.</param>
internal sealed record SetSettingSyntax(string? Key, string? Value) : StatementSyntax;

/// <summary>RESET, RESET key.</summary>
/// <param name="Key">The key; null for all.</param>
internal sealed record ResetSyntax(string? Key) : StatementSyntax;
