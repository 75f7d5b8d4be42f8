using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    /// <summary>What operators stand between: a literal, a name, a call, or something in parentheses.</summary>
    private ExpressionSyntax Operand()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return Number("") with { Position = token.Start };
            case TokenKind.Text:
                return new LiteralSyntax(new Literal(AdjacentText(), DataType.String)) { Position = token.Start };
            case TokenKind.Bytes:
                return Bytes();
            case TokenKind.Parameter:
                _at++;
                return new ParameterSyntax(token.Text.Length == 0 ? null : token.Text, token.Text.Length == 0 ? _parameters++ : -1) { Position = token.Start };
            case TokenKind.Name:
                return NameOrCall();
            case TokenKind.Word:
                return Worded(token) ?? NameOrCall();
            case TokenKind.Symbol when token.Is("("):
                return Parenthesised();
            case TokenKind.Symbol when token.Is("*"):
                _at++;
                return new StarSyntax([], StarExcept()) { Position = token.Start };
            default:
                throw Expected("an expression");
        }
    }

    private ExpressionSyntax? Worded(Token token)
    {
        var next = Ahead(1);
        if (next.Is(".")) return null;
        var start = token.Start;
        if (token.Is("NULL")) return Constant(Literal.NullOf(DataType.Null));
        if (token.Is("TRUE")) return Constant(Literal.True);
        if (token.Is("FALSE")) return Constant(Literal.False);
        if (token.Is("CASE")) return Case();
        if (next.Kind == TokenKind.Text && TypedText(token) is { } target)
        {
            _at++;
            return new TypedTextSyntax(target, Take().Text) { Position = start };
        }
        if (token.Is("INTERVAL") && (next.Kind is TokenKind.Text or TokenKind.Number || next.Is("-") || next.Is("+"))) return Interval();
        if (!next.Is("("))
        {
            // These are calls without parentheses, unless a column has their name; that the binder finds out.
            return null;
        }
        return token.Text.ToUpperInvariant() switch
        {
            "CAST" => CastCall(isTry: false),
            "TRY_CAST" => CastCall(isTry: true),
            "EXISTS" when Ahead(2).Text.ToUpperInvariant() is "SELECT" or "WITH" or "(" or "VALUES" or "FROM" or "TABLE" => Exists(),
            "EXTRACT" when Ahead(3).Is("FROM") => Extract(),
            "SUBSTRING" or "SUBSTR" or "TRIM" or "POSITION" or "OVERLAY" when Ahead(2).Is(")") => null,
            "SUBSTRING" or "SUBSTR" => Substring(),
            "TRIM" => Trim(),
            "POSITION" => Position(),
            "OVERLAY" => Overlay(),
            "TIMESTAMPADD" or "TIMESTAMPDIFF" or "DATEADD" or "DATE_ADD" or "DATEDIFF" or "DATE_DIFF"
                when Ahead(2).Kind == TokenKind.Word && Ahead(3).Is(",") => UnitCall(),
            _ => null,
        };

        LiteralSyntax Constant(Literal value)
        {
            _at++;
            return new LiteralSyntax(value) { Position = start };
        }
    }

    private static DataType? TypedText(Token token) => token.Text.ToUpperInvariant() switch
    {
        "DATE" => DataType.Date,
        "TIMESTAMP" or "TIMESTAMP_LTZ" => DataType.Timestamp,
        "TIMESTAMP_NTZ" => DataType.TimestampNtz,
        _ => null,
    };

    private LiteralSyntax Number(string sign)
    {
        var token = Take();
        if (NumberText.Read(sign + token.Text) is { } value) return new LiteralSyntax(value);
        var suffix = token.Text.TrimStart("0123456789.".ToCharArray()).ToUpperInvariant();
        var errorClass = suffix is "Y" or "S" or "L" or "F" or "D" ? "INVALID_NUMERIC_LITERAL_RANGE"
            : suffix is "" or "BD" ? "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION" : "PARSE_SYNTAX_ERROR";
        throw new QueryException(errorClass, $"'{token.Text}' is not a number, or out of its type's range.", _text, token.Start);
    }

    private string AdjacentText()
    {
        var text = Take().Text;
        while (Current.Kind == TokenKind.Text) text += Take().Text;
        return text;
    }

    private LiteralSyntax Bytes()
    {
        var token = Take();
        var digits = token.Text.Length % 2 == 0 ? token.Text : "0" + token.Text;
        if (!digits.All(char.IsAsciiHexDigit)) throw new QueryException("INVALID_TYPED_LITERAL", $"X'{token.Text}' is not hexadecimal.", _text, token.Start);
        return new LiteralSyntax(new Literal(Convert.FromHexString(digits), DataType.Binary)) { Position = token.Start };
    }

    private ExpressionSyntax Parenthesised()
    {
        var start = Take().Start;
        if (!Is("(") && IsQueryStart())
        {
            var query = Query();
            Expect(")");
            return new ScalarQuerySyntax(query) { Position = start };
        }
        if (Is(")")) throw Expected("an expression");
        var first = Expression();
        if (first is ScalarQuerySyntax inner && _tokens[_at - 1].Is(")") && GoesOnAsQuery())
        {
            first = new ScalarQuerySyntax(Continued(inner.Query)) { Position = start };
        }
        if (Is(","))
        {
            List<ExpressionSyntax> values = [first];
            while (Accept(",")) values.Add(Expression());
            first = new RowSyntax([.. values]) { Position = start };
        }
        Expect(")");
        return first;
    }

    private CaseSyntax Case()
    {
        var start = Take().Start;
        var operand = Is("WHEN") ? null : Expression();
        List<ExpressionSyntax> branches = [];
        while (Accept("WHEN"))
        {
            branches.Add(Expression());
            Expect("THEN");
            branches.Add(Expression());
        }
        if (branches.Count == 0) throw Expected("WHEN");
        var otherwise = Accept("ELSE") ? Expression() : null;
        Expect("END");
        return new CaseSyntax(operand, [.. branches], otherwise) { Position = start };
    }

    private ExpressionSyntax NameOrCall()
    {
        var start = Current.Start;
        // IF, LEFT, RIGHT and the like are functions; words of clauses can't begin an expression.
        if (!IsName) throw Expected("an expression");
        List<string> parts = [Take().Text];
        if (Is("("))
        {
            var call = Call(parts[0]) with { Position = start };
            return call is CallSyntax { IsTimeWindow: true } window && Is(".") ? FieldOf(window) : call;
        }
        while (Accept("."))
        {
            if (Accept("*")) return new StarSyntax([.. parts], StarExcept()) { Position = start };
            parts.Add(Name("a name behind the point", anyWord: true));
        }
        if (Is("(")) throw Wrong($"Functions have names of one part, not '{string.Join('.', parts)}'.", start);
        return new NameSyntax([.. parts]) { Position = start };
    }

    /// <summary>window(...).start</summary>
    private CallSyntax FieldOf(CallSyntax window)
    {
        _at++;
        var isEnd = Is("END");
        return isEnd || Is("START") ? window.OfWindow(Take().Is("END")) : throw Expected("start or end");
    }

    private ValueList<string> StarExcept() => Is("EXCEPT", "(") && !Ahead(2).Is("SELECT") && !Ahead(2).Is("(") ? TakeExcept() : [];

    private ValueList<string> TakeExcept()
    {
        _at++;
        return NamesInParentheses();
    }
}
