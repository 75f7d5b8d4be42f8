using System.Runtime.CompilerServices;
using System.Text;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql;

/// <summary>A query written as an interpolated string: what stands in holes is bound as parameters, never pasted into the text.</summary>
[InterpolatedStringHandler]
public sealed class SqlText
{
    private readonly StringBuilder _text;
    private readonly List<object?> _values;

    /// <summary>Called by the compiler.</summary>
    /// <param name="literalLength">Characters outside holes.</param>
    /// <param name="formattedCount">How many holes there are.</param>
    public SqlText(int literalLength, int formattedCount)
    {
        _text = new StringBuilder(literalLength + formattedCount);
        _values = new List<object?>(formattedCount);
    }

    /// <summary>The text, with a question mark for each hole.</summary>
    public string Text => _text.ToString();

    /// <summary>What stood in the holes, in order.</summary>
    public IReadOnlyList<object?> Values => _values;

    /// <summary>Called by the compiler.</summary>
    /// <param name="literal">Text between holes.</param>
    public void AppendLiteral(string literal)
    {
        _text.Append(literal);
    }

    /// <summary>Called by the compiler.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">A number, text, day, time, bytes, or null.</param>
    /// <exception cref="QueryException">The hole stands inside quotes or a comment, where no parameter can be.</exception>
    public void AppendFormatted<T>(T value)
    {
        _text.Append('?');
        if (!EndsWithParameter(_text.ToString()))
        {
            throw new QueryException(
                "INVALID_PARAMETER", "A hole of an interpolated query stands inside quotes or a comment. It is bound as a value: write it without them, as in WHERE name = {name}.",
                _text.ToString(), _text.Length - 1);
        }
        _values.Add(value);
    }

    private static bool EndsWithParameter(string text)
    {
        try
        {
            var tokens = Lexer.Read(text);
            return tokens.Length > 1 && tokens[^2] is { Kind: TokenKind.Parameter } last && last.End == text.Length;
        }
        catch (QueryException)
        {
            // A string, name or comment is open.
            return false;
        }
    }
}
