using System.Globalization;
using System.Text;

namespace Dataflow.Sql.Parsing;

/// <summary>Cuts a SQL text into tokens. Comments and white space are left out.</summary>
/// <param name="text">The text.</param>
internal sealed class Lexer(string text)
{
    // Longest first, so that "<=>" is not read as "<=" and ">".
    private static readonly string[] Symbols =
    [
        "<=>", ">>>", "<>", "<=", ">=", "!=", "==", "||", "<<", ">>", "::", "->", "=>",
        "(", ")", ",", ".", ";", "+", "-", "*", "/", "%", "=", "<", ">", "!", "&", "|", "^", "~", "[", "]", ":",
    ];

    private readonly List<Token> _tokens = new(64);
    private int _at;

    /// <summary>All tokens of a text; the last is <see cref="TokenKind.End"/>.</summary>
    /// <exception cref="QueryException">A string, name or comment is not closed, or a character belongs nowhere.</exception>
    public static Token[] Read(string text)
    {
        var lexer = new Lexer(text);
        while (lexer.Next()) { }
        lexer._tokens.Add(new Token(TokenKind.End, text.Length, text.Length, ""));
        return [.. lexer._tokens];
    }

    private char Peek(int ahead = 0) => _at + ahead < text.Length ? text[_at + ahead] : '\0';

    private bool Next()
    {
        SkipBlank();
        if (_at >= text.Length) return false;
        var start = _at;
        var c = text[_at];
        if (c is '\'' or '"')
        {
            Add(TokenKind.Text, start, Quoted(c, isRaw: false));
        }
        else if (c == '`')
        {
            Add(TokenKind.Name, start, Backquoted());
        }
        else if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1)) && !FollowsName()))
        {
            Number();
            Add(TokenKind.Number, start, text[start.._at]);
        }
        else if (c is 'x' or 'X' && Peek(1) == '\'')
        {
            _at++;
            Add(TokenKind.Bytes, start, Quoted('\'', isRaw: true));
        }
        else if (c is 'r' or 'R' && Peek(1) is '\'' or '"')
        {
            _at++;
            Add(TokenKind.Text, start, Quoted(text[_at], isRaw: true));
        }
        else if (IsNameStart(c))
        {
            while (IsNamePart(Peek())) _at++;
            Add(TokenKind.Word, start, text[start.._at]);
        }
        else if (c == '?')
        {
            _at++;
            Add(TokenKind.Parameter, start, "");
        }
        else if (c == ':' && IsNameStart(Peek(1)))
        {
            _at++;
            while (IsNamePart(Peek())) _at++;
            Add(TokenKind.Parameter, start, text[(start + 1).._at]);
        }
        else
        {
            Add(TokenKind.Symbol, start, Symbol());
        }
        return true;
    }

    private void Add(TokenKind kind, int start, string value) => _tokens.Add(new Token(kind, start, _at, value));

    // "t.1" is no number: the point belongs to the name before it.
    private bool FollowsName() => _tokens.Count > 0 && _tokens[^1].End == _at && _tokens[^1].Kind is TokenKind.Word or TokenKind.Name;

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_' || (c > 127 && char.IsLetter(c));

    private static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_' || (c > 127 && char.IsLetterOrDigit(c));

    private void SkipBlank()
    {
        while (_at < text.Length)
        {
            if (char.IsWhiteSpace(text[_at]) || text[_at] == '\uFEFF')
            {
                _at++;
            }
            else if (Peek() == '-' && Peek(1) == '-')
            {
                while (_at < text.Length && text[_at] is not '\n') _at++;
            }
            else if (Peek() == '/' && Peek(1) == '*')
            {
                SkipComment();
            }
            else
            {
                return;
            }
        }
    }

    private void SkipComment()
    {
        var start = _at;
        var depth = 0;
        do
        {
            if (_at >= text.Length) throw Wrong("This comment is not closed: */ is missing.", start);
            var (step, change) = (Peek(), Peek(1)) switch
            {
                ('/', '*') => (2, 1),
                ('*', '/') => (2, -1),
                _ => (1, 0),
            };
            _at += step;
            depth += change;
        }
        while (depth > 0);
    }

    private string Symbol()
    {
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(text, _at, symbol, 0, symbol.Length) != 0) continue;
            _at += symbol.Length;
            return symbol;
        }
        throw Wrong($"The character '{text[_at]}' does not belong here.", _at);
    }

    private void Number()
    {
        while (char.IsAsciiDigit(Peek())) _at++;
        if (Peek() == '.' && (char.IsAsciiDigit(Peek(1)) || !IsNameStart(Peek(1)) || IsExponent(1)))
        {
            _at++;
            while (char.IsAsciiDigit(Peek())) _at++;
        }
        if (IsExponent(0))
        {
            _at += 2;
            while (char.IsAsciiDigit(Peek())) _at++;
        }
        while (IsNamePart(Peek())) _at++;
    }

    private bool IsExponent(int ahead) =>
        Peek(ahead) is 'e' or 'E' && (char.IsAsciiDigit(Peek(ahead + 1)) || (Peek(ahead + 1) is '+' or '-' && char.IsAsciiDigit(Peek(ahead + 2))));

    private string Backquoted()
    {
        var start = _at++;
        var name = new StringBuilder();
        while (true)
        {
            if (_at >= text.Length) throw Wrong("This name is not closed: ` is missing.", start);
            var c = text[_at++];
            if (c == '`' && Peek() != '`') return name.ToString();
            if (c == '`') _at++;
            name.Append(c);
        }
    }

    private string Quoted(char quote, bool isRaw)
    {
        var start = _at++;
        var value = new StringBuilder();
        while (true)
        {
            if (_at >= text.Length) throw Wrong($"This string is not closed: {quote} is missing.", start);
            var c = text[_at++];
            if (c == quote)
            {
                if (Peek() != quote || isRaw) return value.ToString();
                _at++;
                value.Append(quote);
            }
            else if (c == '\\' && !isRaw && _at < text.Length)
            {
                Escape(value);
            }
            else
            {
                value.Append(c);
            }
        }
    }

    /// <summary>What stands behind a backslash, as Spark reads it: unknown ones are the character itself; \% and \_ stay for LIKE.</summary>
    private void Escape(StringBuilder value)
    {
        var c = text[_at++];
        if (c is 'u' && TryHex(4, out var code))
        {
            value.Append((char)code);
            return;
        }
        if (c is 'U' && TryHex(8, out code) && Rune.IsValid(code))
        {
            value.Append(new Rune(code).ToString());
            return;
        }
        if (c is >= '0' and <= '3' && Peek() is >= '0' and <= '7' && Peek(1) is >= '0' and <= '7')
        {
            value.Append((char)(((c - '0') * 64) + ((Peek() - '0') * 8) + (Peek(1) - '0')));
            _at += 2;
            return;
        }
        value.Append(c switch
        {
            '0' => "\0",
            'b' => "\b",
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            'Z' => "\u001A",
            '%' => "\\%",
            '_' => "\\_",
            _ => c.ToString(),
        });
    }

    private bool TryHex(int digits, out int code)
    {
        code = 0;
        if (_at + digits > text.Length) return false;
        if (!int.TryParse(text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out code)) return false;
        _at += digits;
        return true;
    }

    private QueryException Wrong(string message, int position) => new("PARSE_SYNTAX_ERROR", message, text, position);
}
