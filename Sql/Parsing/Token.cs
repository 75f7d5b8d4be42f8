namespace Dataflow.Sql.Parsing;

/// <summary>The kinds of words that a SQL text is made of.</summary>
internal enum TokenKind : byte
{
    /// <summary>Behind the last one.</summary>
    End,

    /// <summary>A keyword or a name.</summary>
    Word,

    /// <summary>A name in backquotes: never a keyword.</summary>
    Name,

    /// <summary>A string, without its quotes and escapes.</summary>
    Text,

    /// <summary>Bytes: X'..', hexadecimal digits only.</summary>
    Bytes,

    /// <summary>A number as written, with its suffix.</summary>
    Number,

    /// <summary>A parameter: its name, or nothing for <c>?</c>.</summary>
    Parameter,

    /// <summary>Operators and brackets.</summary>
    Symbol,
}

/// <summary>A word of a SQL text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">First character, from 0.</param>
/// <param name="End">Behind its last character.</param>
/// <param name="Text">What it says.</param>
internal readonly record struct Token(TokenKind Kind, int Start, int End, string Text)
{
    /// <summary>Whether it is a keyword or a symbol.</summary>
    public bool Is(string text) => Kind is TokenKind.Word or TokenKind.Symbol && string.Equals(Text, text, StringComparison.OrdinalIgnoreCase);
}
