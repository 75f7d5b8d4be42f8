using System.Text;

namespace Dataflow.Sql.Csv;

/// <summary>What tasks need of <see cref="CsvOptions"/>, as bytes.</summary>
internal sealed record CsvDialect(byte Delimiter, int Quote, int Escape, int Comment, byte[] NullValue, bool IsMultiLine)
{
    /// <summary>The dialect of some options.</summary>
    /// <exception cref="ArgumentException">A character is no ASCII, or two of them are the same.</exception>
    public static CsvDialect Of(CsvOptions options)
    {
        var delimiter = Ascii(options.Delimiter, nameof(CsvOptions.Delimiter));
        var quote = options.Quote is { } each ? Ascii(each, nameof(CsvOptions.Quote)) : -1;
        var comment = options.Comment is { } mark ? Ascii(mark, nameof(CsvOptions.Comment)) : -1;
        if (delimiter == quote || delimiter == comment || (quote >= 0 && quote == comment)) throw new ArgumentException("Delimiter, quote and comment of CSV files must be different characters.");
        return new CsvDialect((byte)delimiter, quote, quote < 0 ? -1 : Ascii(options.Escape, nameof(CsvOptions.Escape)), comment, Encoding.UTF8.GetBytes(options.NullValue), options.MultiLine);
    }

    private static int Ascii(char character, string name) => character is > '\0' and < (char)128 and not ('\n' or '\r')
        ? character
        : throw new ArgumentException($"{name} of CSV files is one ASCII character and no end of a line; '{character}' (U+{(int)character:X4}) is not.");
}
