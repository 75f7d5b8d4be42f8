namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    private StatementSyntax Statement()
    {
        var start = Current.Start;
        if (Accept("EXPLAIN")) return Deeper(Explain) with { Position = start };
        if (Accept("CREATE")) return CreateView() with { Position = start };
        if (Accept("DROP")) return DropView();
        if (Accept("SHOW")) return ShowTables() with { Position = start };
        if (Is("DESCRIBE") || Is("DESC")) return Describe() with { Position = start };
        if (Accept("SET")) return Is("TIME", "ZONE") ? SetTimeZone() with { Position = start } : SetSetting() with { Position = start };
        if (Accept("RESET")) return new ResetSyntax(AtEnd ? null : SettingText("")) { Position = start };
        if (!IsQueryStart()) throw Expected("a statement (SELECT, WITH, VALUES, EXPLAIN, CREATE VIEW, DROP VIEW, SHOW TABLES, DESCRIBE, SET, RESET)");
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
        var ifNotExists = false;
        if (Accept("IF"))
        {
            Expect("NOT");
            Expect("EXISTS");
            ifNotExists = true;
        }
        var name = ViewName();
        var columns = Is("(") ? NamesInParentheses() : [];
        Expect("AS");
        return new CreateViewSyntax(name, columns, replaces, ifNotExists, Query());
    }

    private DropViewSyntax DropView()
    {
        if (!Accept("VIEW")) Expect("TABLE");
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

    private ShowTablesSyntax ShowTables()
    {
        if (!Accept("TABLES") && !Accept("VIEWS")) throw Expected("TABLES");
        var hasLike = Accept("LIKE");
        if (!hasLike && Current.Kind != TokenKind.Text) return new ShowTablesSyntax(null);
        return new ShowTablesSyntax(Text("a pattern in quotes"));
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
