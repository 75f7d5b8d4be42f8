namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    private StatementSyntax Statement()
    {
        var start = Current.Start;
        if (Accept("EXPLAIN")) return Deeper(Explain) with { Position = start };
        if (Accept("CREATE")) return Is("TABLE") || (Is("OR", "REPLACE") && Ahead(2).Is("TABLE")) ? CreateTable() with { Position = start } : CreateView() with { Position = start };
        if (Accept("DROP")) return Is("TABLE") ? DropTable() : DropView();
        if (Accept("INSERT")) return Insert();
        if (Accept("SHOW")) return Show() with { Position = start };
        if (Is("USE") && Ahead(1).Kind is TokenKind.Word or TokenKind.Name) return Use() with { Position = start };
        if ((Is("DESCRIBE") || Is("DESC")) && Ahead(1).Is("FUNCTION") && Ahead(2).Kind is TokenKind.Word or TokenKind.Name) return DescribeFunction() with { Position = start };
        if (Is("DESCRIBE") || Is("DESC")) return Describe() with { Position = start };
        if (Accept("SET")) return Is("TIME", "ZONE") ? SetTimeZone() with { Position = start } : SetSetting() with { Position = start };
        if (Accept("RESET")) return new ResetSyntax(AtEnd ? null : SettingText("")) { Position = start };
        if (!IsQueryStart()) throw Expected("a statement (SELECT, WITH, VALUES, EXPLAIN, CREATE VIEW, CREATE TABLE, INSERT, DROP, SHOW TABLES, DESCRIBE, SET, RESET)");
        return new QueryStatementSyntax(Query()) { Position = start };
    }

    private ExplainSyntax Explain()
    {
        var mode = "";
        foreach (var known in (ReadOnlySpan<string>)["EXTENDED", "FORMATTED", "CODEGEN", "COST", "LOGICAL"])
        {
            if (mode.Length == 0 && Accept(known)) mode = known;
        }
        return new ExplainSyntax(mode, Statement());
    }

    private CreateViewSyntax CreateView()
    {
        var replaces = Accept("OR", "REPLACE");
        Accept("GLOBAL");
        if (!Accept("TEMP") && !Accept("TEMPORARY")) throw Expected("TEMP VIEW");
        Expect("VIEW");
        var ifNotExists = IfNotExists();
        var name = ViewName();
        if (Is("USING") || (Is("(") && !Ahead(2).Is(",") && !Ahead(2).Is(")")))
            return new CreateViewSyntax(name, [], replaces, ifNotExists, new QuerySyntax(StarOf(Files())));
        var columns = Is("(") ? NamesInParentheses() : [];
        if (!Is("AS")) throw Expected("AS or USING");
        _at++;
        return new CreateViewSyntax(name, columns, replaces, ifNotExists, Query());
    }

    /// <summary>[(name type, ...)] USING format [OPTIONS (name [=] value, ...)]</summary>
    private FilesSyntax Files()
    {
        ValueList<Field> fields = [];
        if (Accept("("))
        {
            fields = List(() => new Field(Name("a column's name", anyWord: true), TypeName()));
            Expect(")");
        }
        Expect("USING");
        var start = Current.Start;
        var format = Name("a format (parquet, csv, json, text)");
        ValueList<FileOptionSyntax> options = [];
        if (Accept("OPTIONS"))
        {
            Expect("(");
            options = List(FileOption);
            Expect(")");
        }
        return new FilesSyntax(format, fields, options) { Position = start };
    }

    private FileOptionSyntax FileOption()
    {
        var start = Current.Start;
        var name = Current.Kind == TokenKind.Text ? Take().Text : string.Join('.', NameParts("an option"));
        Accept("=");
        if (Current.Kind is not (TokenKind.Text or TokenKind.Number) && !Is("true") && !Is("false")) throw Expected("the option's value, in quotes");
        return new FileOptionSyntax(name, Take().Text, start);
    }

    private bool IfNotExists()
    {
        if (!Accept("IF")) return false;
        Expect("NOT");
        Expect("EXISTS");
        return true;
    }

    /// <summary>[OR REPLACE] TABLE [IF NOT EXISTS] name [(name type, ...)] [USING parquet] [AS query]</summary>
    private CreateTableSyntax CreateTable()
    {
        var replaces = Accept("OR", "REPLACE");
        Expect("TABLE");
        var ifNotExists = IfNotExists();
        var name = LastingName();
        ValueList<Field> fields = [];
        if (Accept("("))
        {
            fields = List(() => new Field(Name("a column's name", anyWord: true), TypeName(), !Accept("NOT", "NULL")));
            Expect(")");
        }
        if (Accept("USING") && !Accept("PARQUET")) throw Wrong("Tables are Parquet files: write USING PARQUET, or nothing. Files of other formats are read by views: CREATE TEMP VIEW name USING csv OPTIONS (path 'x').", Current.Start);
        if (fields.Count > 0 && !Is("AS")) return new CreateTableSyntax(name, fields, replaces, ifNotExists, null);
        if (fields.Count > 0) throw Wrong("The columns of CREATE TABLE AS are those of its query: leave the list of columns out, and write casts in the query.", Current.Start);
        if (!Is("AS")) throw Expected("AS with a query, or columns in parentheses");
        _at++;
        return new CreateTableSyntax(name, [], replaces, ifNotExists, Query());
    }

    /// <summary>INTO | OVERWRITE [TABLE] name [(columns)] query</summary>
    private InsertSyntax Insert()
    {
        var overwrites = Accept("OVERWRITE");
        if (!overwrites) Expect("INTO");
        Accept("TABLE");
        var start = Current.Start;
        var name = LastingName();
        var columns = Is("(") && !IsQueryStart() ? NamesInParentheses() : [];
        return new InsertSyntax(name, columns, overwrites, Query()) { Position = start };
    }

    private DropTableSyntax DropTable()
    {
        Expect("TABLE");
        var ifExists = Accept("IF", "EXISTS");
        var start = Current.Start;
        return new DropTableSyntax(LastingName(), ifExists) { Position = start };
    }

    /// <summary>name or default.name: there is one schema.</summary>
    private string LastingName()
    {
        var start = Current.Start;
        var parts = NameParts("the table's name");
        return parts.Count == 1 || (parts.Count == 2 && parts[0].Equals("default", StringComparison.OrdinalIgnoreCase)) ? parts[^1]
            : throw Wrong($"'{string.Join('.', parts)}' can't be the name of a table: there is one schema, 'default'.", start);
    }

    private DropViewSyntax DropView()
    {
        Expect("VIEW");
        var ifExists = Accept("IF", "EXISTS");
        var start = Current.Start;
        return new DropViewSyntax(ViewName(), ifExists) { Position = start };
    }

    private string ViewName()
    {
        var name = Name("the view's name");
        if (Is(".")) throw Wrong("Temporary views have a name of one part: there are no schemas to put them in.", Current.Start);
        return name;
    }

    private StatementSyntax Show()
    {
        if (Accept("COLUMNS"))
        {
            if (!Accept("IN")) Expect("FROM");
            var start = Current.Start;
            return new ShowColumnsSyntax(new TableSyntax(NameParts("a table or view")) { Position = start });
        }
        var kind = Accept("FUNCTIONS") || (Ahead(1).Is("FUNCTIONS") && (Accept("ALL") || Accept("SYSTEM") || Accept("USER")) && Accept("FUNCTIONS")) ? ShowKind.Functions
            : Accept("DATABASES") || Accept("SCHEMAS") ? ShowKind.Databases
            : Accept("TABLES") ? ShowKind.Tables
            : Accept("VIEWS") ? ShowKind.Views
            : throw Expected("TABLES, VIEWS, COLUMNS, FUNCTIONS or DATABASES");
        // There is one schema, which may be named.
        if (Accept("IN") || Accept("FROM")) Name("default");
        var hasLike = Accept("LIKE");
        return new ShowSyntax(kind, hasLike || Current.Kind == TokenKind.Text ? Text("a pattern in quotes") : null);
    }

    /// <summary>USE [SCHEMA] default: there is no other.</summary>
    private UseSyntax Use()
    {
        _at++;
        if (!Accept("SCHEMA")) Accept("DATABASE");
        var start = Current.Start;
        return new UseSyntax(Name("a schema")) { Position = start };
    }

    private DescribeFunctionSyntax DescribeFunction()
    {
        _at += 2;
        if (Is("EXTENDED") && Ahead(1).Kind is TokenKind.Word or TokenKind.Name) _at++;
        return new DescribeFunctionSyntax(Name("a function", anyWord: true));
    }

    private DescribeSyntax Describe()
    {
        _at++;
        if (!Accept("QUERY") && !Accept("TABLE")) Accept("VIEW");
        Accept("EXTENDED");
        if (IsQueryStart()) return new DescribeSyntax(new DerivedSyntax(Query()));
        var start = Current.Start;
        return new DescribeSyntax(new TableSyntax(NameParts("a table, view or query")) { Position = start });
    }

    private SetTimeZoneSyntax SetTimeZone()
    {
        Expect("TIME");
        Expect("ZONE");
        return new SetTimeZoneSyntax(Accept("LOCAL") ? null : Text("a time zone in quotes, such as 'Europe/Berlin', or LOCAL"));
    }

    /// <summary>Keys and values of settings are taken as they stand: spark.sql.session.timeZone = America/Los_Angeles.</summary>
    private SetSettingSyntax SetSetting()
    {
        if (AtEnd) return new SetSettingSyntax(null, null);
        if (Is("-") && Ahead(1).Is("v"))
        {
            _at += 2;
            return new SetSettingSyntax(null, null);
        }
        var key = SettingText("=");
        return new SetSettingSyntax(key, Accept("=") ? SettingText("") : null);
    }

    private bool AtEnd => Current.Kind == TokenKind.End || Is(";");

    private string SettingText(string end)
    {
        var start = Current.Start;
        while (!AtEnd && !(end.Length > 0 && Is(end))) _at++;
        var text = _text[start..Current.Start].Trim();
        return text.Length > 0 ? text.Trim('`') : throw Expected(end.Length > 0 ? "the key of a setting" : "the value of a setting");
    }

    private string Text(string what) => Current.Kind == TokenKind.Text ? Take().Text : throw Expected(what);

    /// <summary>Whether a query begins here, perhaps in parentheses.</summary>
    private bool IsQueryStart()
    {
        var at = _at;
        while (_tokens[at].Is("(")) at++;
        var token = _tokens[at];
        if (token.Is("SELECT")) return true;
        // These may be names as well: what comes next tells.
        var next = _tokens[Math.Min(at + 1, _tokens.Length - 1)];
        return (token.Is("VALUES") && !next.Is(".") && !next.Is(",") && !next.Is(")"))
            || (next.Kind is TokenKind.Word or TokenKind.Name && (token.Is("WITH") || token.Is("TABLE") || token.Is("FROM")));
    }
}
