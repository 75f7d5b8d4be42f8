using System.Runtime.CompilerServices;

namespace Dataflow.Sql.Parsing;

/// <summary>
/// Reads a SQL text by recursive descent, and expressions by climbing precedences. It knows no tables, columns or functions: it makes the syntax tree that
/// <see cref="Analysis.Binder"/> gives a meaning. This part holds the tokens; the others hold statements, queries, FROM, and expressions.
/// </summary>
internal sealed partial class Parser
{
    /// <summary>How deep parentheses, queries and calls may nest. Beyond, a text is an attack or a mistake, and would end in a stack overflow.</summary>
    public const int MaxDepth = 300;

    private readonly string _text;
    private readonly Token[] _tokens;
    private int _at;
    private int _depth;
    private int _parameters;

    private Parser(string text)
    {
        _text = text;
        _tokens = Lexer.Read(text);
    }

    private Token Current => _tokens[_at];

    private Token Ahead(int count) => _tokens[Math.Min(_at + count, _tokens.Length - 1)];

    /// <summary>Reads one statement; a semicolon may end it.</summary>
    /// <exception cref="QueryException">It is not one.</exception>
    public static StatementSyntax ParseStatement(string text)
    {
        var parser = new Parser(text);
        var statement = parser.Statement();
        parser.ExpectEnd();
        return statement;
    }

    /// <summary>Reads an expression, perhaps with an alias: <c>selectExpr</c>, and conditions given as text.</summary>
    /// <exception cref="QueryException">It is not one.</exception>
    public static ItemSyntax ParseItem(string text)
    {
        var parser = new Parser(text);
        var item = parser.Item();
        parser.ExpectEnd();
        return item;
    }

    /// <summary>Reads a type: <c>decimal(12,2)</c>.</summary>
    /// <exception cref="QueryException">It is not one.</exception>
    public static DataType ParseType(string text)
    {
        var parser = new Parser(text);
        var type = parser.TypeName();
        parser.ExpectEnd();
        return type;
    }

    private void ExpectEnd()
    {
        while (Accept(";")) { }
        if (Current.Kind != TokenKind.End) throw Expected("the end of the statement");
    }

    private bool Is(string text) => Current.Is(text);

    private bool Is(string first, string second) => Current.Is(first) && Ahead(1).Is(second);

    private bool Accept(string text)
    {
        if (!Current.Is(text)) return false;
        _at++;
        return true;
    }

    private bool Accept(string first, string second)
    {
        if (!Is(first, second)) return false;
        _at += 2;
        return true;
    }

    private void Expect(string text)
    {
        if (!Accept(text)) throw Expected(text);
    }

    private Token Take() => _tokens[_at++];

    private bool IsName => Current.Kind == TokenKind.Name || (Current.Kind == TokenKind.Word && (!Keywords.IsReserved(Current.Text) || (Is("WINDOW") && !Ahead(2).Is("AS"))));

    /// <summary>A name; any word will do where nothing else can stand: behind a point, behind AS.</summary>
    private string Name(string what = "a name", bool anyWord = false)
    {
        if (IsName || (anyWord && Current.Kind == TokenKind.Word)) return Take().Text;
        // Other dialects write names in double quotes.
        if (anyWord && Current.Kind == TokenKind.Text && _text[Current.Start] == '"') return Take().Text;
        throw Expected(what);
    }

    private ValueList<string> NameParts(string what)
    {
        List<string> parts = [Name(what)];
        while (Accept(".")) parts.Add(Name("a name behind the point", anyWord: true));
        return [.. parts];
    }

    private ValueList<string> NamesInParentheses()
    {
        Expect("(");
        var names = List(() => Name("a column name"));
        Expect(")");
        return names;
    }

    private ValueList<T> List<T>(Func<T> read)
    {
        List<T> items = [read()];
        while (Accept(",")) items.Add(read());
        return [.. items];
    }

    private T Deeper<T>(Func<T> read)
    {
        Enter();
        var result = read();
        _depth--;
        return result;
    }

    private void Enter()
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Wrong($"The query nests deeper than {MaxDepth} levels. Split it into views, or into names of WITH.", Current.Start);
        }
    }

    private QueryException Expected(string what)
    {
        var found = Current.Kind == TokenKind.End ? "the end of the text" : $"'{_text[Current.Start..Current.End]}'";
        var expected = what.Length > 0 && (char.IsUpper(what[0]) || !char.IsLetter(what[0])) ? $"'{what}'" : what;
        return Wrong($"Expected {expected}, found {found}.", Current.Start);
    }

    private QueryException Wrong(string message, int position) => new("PARSE_SYNTAX_ERROR", message, _text, position);
}
