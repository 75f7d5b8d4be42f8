using System.Text;
using System.Text.Unicode;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Csv;

/// <summary>Text of files that should be UTF-8, and need not be: what is none becomes U+FFFD, as Spark reads it, so that nothing behind has to doubt it.</summary>
internal static unsafe class TextRepair
{
    /// <summary>A view of a text.</summary>
    /// <param name="heap">Where it is written if it is not right.</param>
    /// <param name="text">The bytes.</param>
    /// <param name="length">How many.</param>
    public static StringView View(TextHeap heap, byte* text, int length)
    {
        var bytes = new ReadOnlySpan<byte>(text, length);
        return Utf8.IsValid(bytes) ? StringView.Of(text, length) : heap.Add(Repaired(bytes));
    }

    /// <summary>A text as UTF-8.</summary>
    public static ReadOnlySpan<byte> Right(ReadOnlySpan<byte> text) => Utf8.IsValid(text) ? text : Repaired(text);

    private static byte[] Repaired(ReadOnlySpan<byte> text) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text));
}
