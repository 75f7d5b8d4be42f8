using System.Runtime.CompilerServices;
using System.Text;

namespace Dataflow.Sql;

/// <summary>A query written as an interpolated string: what stands in holes is bound as parameters, never pasted into the text.</summary>
[InterpolatedStringHandler]
public sealed class SqlText
{
    private readonly StringBuilder _text;
    private readonly List<object?> _values;
    private char _quote;

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
        foreach (var character in literal)
        {
            if (_quote != 0)
            {
                if (character == _quote) _quote = '\0';
            }
            else if (character is '\'' or '"' or '`')
            {
                _quote = character;
            }
        }
        _text.Append(literal);
    }

    /// <summary>Called by the compiler.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">A number, text, day, time, bytes, or null.</param>
    /// <exception cref="QueryException">The hole stands inside quotes, where no parameter can be.</exception>
    public void AppendFormatted<T>(T value)
    {
        if (_quote != 0)
        {
            throw new QueryException(
                "INVALID_PARAMETER", "A hole of an interpolated query stands inside quotes. It is bound as a value: write it without them, as in WHERE name = {name}.",
                _text.ToString(), Math.Max(0, _text.Length - 1));
        }
        _text.Append('?');
        _values.Add(value);
    }
}
