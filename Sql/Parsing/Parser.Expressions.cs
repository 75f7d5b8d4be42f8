using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    // Higher binds closer. Predicates (IS, IN, LIKE, BETWEEN) take whole comparisons, as in Spark's grammar.
    private const int Or = 1, And = 2, Not = 3, Predicate = 4, Comparison = 5, BitOr = 6, BitXor = 7, BitAnd = 8, Shift = 9, Additive = 10, Multiplicative = 11,
        Unary = 12, Suffix = 13;

    private ExpressionSyntax Expression() => Expression(0);

    /// <summary>Reads an expression of operators that bind closer than a floor.</summary>
    private ExpressionSyntax Expression(int floor)
    {
        Enter();
        var left = Climb(Prefix(), floor);
        if (Is("[") && floor < Suffix) throw Wrong("Elements of arrays and maps ([ ]) are not supported.", Current.Start);
        _depth--;
        return left;
    }

    /// <summary>Goes on behind an operand.</summary>
    private ExpressionSyntax Climb(ExpressionSyntax left, int floor)
    {
        while (true)
        {
            var start = Current.Start;
            if (TryOperator(out var name, out var rank))
            {
                if (rank <= floor) return left;
                _at++;
                var right = Expression(rank);
                left = name switch
                {
                    "concat" => new CallSyntax("concat", [left, right]) { Position = start },
                    "shiftleft" or "shiftright" or "shiftrightunsigned" => new CallSyntax(name, [left, right]) { Position = start },
                    _ => new OperatorSyntax(name, [left, right]) { Position = start },
                };
            }
            else if (floor < Suffix && Accept("::"))
            {
                left = new CastSyntax(left, TypeName(), IsTry: false) { Position = start };
            }
            else if (floor < Predicate && TryPredicate(left, out var predicate))
            {
                left = predicate;
            }
            else
            {
                return left;
            }
        }
    }

    private bool TryOperator(out string name, out int rank)
    {
        var token = Current;
        (name, rank) = token.Kind switch
        {
            TokenKind.Word when token.Is("OR") => ("or", Or),
            TokenKind.Word when token.Is("AND") => ("and", And),
            TokenKind.Word when token.Is("DIV") => ("div", Multiplicative),
            TokenKind.Symbol => token.Text switch
            {
                "=" or "==" => ("=", Comparison),
                "<>" or "!=" => ("<>", Comparison),
                "<" or "<=" or ">" or ">=" or "<=>" => (token.Text, Comparison),
                "|" => ("|", BitOr),
                "^" => ("^", BitXor),
                "&" => ("&", BitAnd),
                "<<" => ("shiftleft", Shift),
                ">>" => ("shiftright", Shift),
                ">>>" => ("shiftrightunsigned", Shift),
                "+" or "-" => (token.Text, Additive),
                "||" => ("concat", Additive),
                "*" or "/" or "%" => (token.Text, Multiplicative),
                _ => ("", -1),
            },
            _ => ("", -1),
        };
        return rank > 0;
    }

    private ExpressionSyntax Prefix()
    {
        var start = Current.Start;
        if (Accept("NOT") || Accept("!")) return new OperatorSyntax("not", [Expression(Not)]) { Position = start };
        if (Accept("-"))
        {
            // -9223372036854775808 is a number, though 9223372036854775808 is not of its type.
            if (Current.Kind == TokenKind.Number) return Number("-") with { Position = start };
            return new OperatorSyntax("negative", [Expression(Unary)]) { Position = start };
        }
        if (Accept("+")) return new CallSyntax("positive", [Expression(Unary)]) { Position = start };
        if (Accept("~")) return new OperatorSyntax("~", [Expression(Unary)]) { Position = start };
        return Operand();
    }

    private bool TryPredicate(ExpressionSyntax left, out ExpressionSyntax predicate)
    {
        predicate = left;
        var start = Current.Start;
        if (Accept("IS"))
        {
            predicate = IsPredicate(left, start);
            return true;
        }
        var next = Ahead(1);
        var isNegated = Is("NOT") && (next.Is("BETWEEN") || next.Is("IN") || next.Is("LIKE") || next.Is("ILIKE") || next.Is("RLIKE") || next.Is("REGEXP"));
        if (isNegated) _at++;
        if (Accept("BETWEEN"))
        {
            Accept("ASYMMETRIC");
            var isSymmetric = Accept("SYMMETRIC");
            var low = Expression(Predicate);
            Expect("AND");
            var high = Expression(Predicate);
            predicate = new BetweenSyntax(left, low, high) { Position = start };
            if (isSymmetric) predicate = new OperatorSyntax("or", [predicate, new BetweenSyntax(left, high, low) { Position = start }]) { Position = start };
        }
        else if (Accept("IN"))
        {
            predicate = In(left, start);
        }
        else if (Is("LIKE") || Is("ILIKE") || Is("RLIKE") || Is("REGEXP"))
        {
            predicate = Like(left, start);
        }
        else
        {
            return false;
        }
        if (isNegated) predicate = new OperatorSyntax("not", [predicate]) { Position = start };
        return true;
    }

    private ExpressionSyntax IsPredicate(ExpressionSyntax left, int start)
    {
        var isNegated = Accept("NOT");
        ExpressionSyntax result;
        if (Accept("NULL") || Accept("UNKNOWN"))
        {
            return new OperatorSyntax(isNegated ? "isnotnull" : "isnull", [left]) { Position = start };
        }
        if (Is("TRUE") || Is("FALSE"))
        {
            var value = new LiteralSyntax(Take().Is("TRUE") ? Literal.True : Literal.False) { Position = start };
            result = new OperatorSyntax("<=>", [left, value]) { Position = start };
        }
        else
        {
            if (!Accept("DISTINCT", "FROM")) throw Expected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
            result = new OperatorSyntax("<=>", [left, Expression(Predicate)]) { Position = start };
            isNegated = !isNegated;
        }
        return isNegated ? new OperatorSyntax("not", [result]) { Position = start } : result;
    }

    private ExpressionSyntax In(ExpressionSyntax left, int start)
    {
        if (Current.Kind == TokenKind.Parameter) return new InSyntax(left, [Operand()]) { Position = start };
        Expect("(");
        ExpressionSyntax result;
        if (!Is("(") && IsQueryStart()) result = new InQuerySyntax(left, Query()) { Position = start };
        else result = InList(left, start);
        Expect(")");
        return result;
    }

    /// <summary>A list; or a query in more parentheses, which is known only behind them.</summary>
    private ExpressionSyntax InList(ExpressionSyntax left, int start)
    {
        var isQuery = IsQueryStart();
        var first = Expression();
        if (isQuery && first is ScalarQuerySyntax query && (Is(")") || GoesOnAsQuery()))
        {
            return new InQuerySyntax(left, Is(")") ? query.Query : Continued(query.Query)) { Position = start };
        }
        List<ExpressionSyntax> values = [first];
        while (Accept(",")) values.Add(Expression());
        return new InSyntax(left, [.. values]) { Position = start };
    }

    private LikeSyntax Like(ExpressionSyntax left, int start)
    {
        var word = Take();
        var name = word.Is("REGEXP") ? "rlike" : word.Text.ToLowerInvariant();
        if (name != "rlike" && (Is("ANY") || Is("SOME") || Is("ALL")) && Ahead(1).Is("("))
        {
            var all = Take().Is("ALL");
            Expect("(");
            var patterns = List(() => Expression());
            Expect(")");
            return new LikeSyntax(name, left, patterns, Escape: null, all) { Position = start };
        }
        var pattern = Expression(Predicate);
        string? escape = null;
        if (name != "rlike" && Accept("ESCAPE"))
        {
            var at = Current.Start;
            escape = Text("one character in quotes");
            if (escape.Length != 1) throw new QueryException("INVALID_ESC", $"The escape of LIKE is one character, not '{escape}'.", _text, at);
        }
        return new LikeSyntax(name, left, [pattern], escape, NeedsAll: false) { Position = start };
    }
}
