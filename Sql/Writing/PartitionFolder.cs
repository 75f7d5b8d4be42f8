using System.Globalization;
using System.Text;

namespace Dataflow.Sql.Writing;

/// <summary>Names of folders that hold a value of a column: <c>year=2024</c>, as Hive and Spark write them.</summary>
internal static class PartitionFolder
{
    /// <summary>Stands for null, and for the empty text, which no folder can be called.</summary>
    public const string NullName = "__HIVE_DEFAULT_PARTITION__";

    /// <summary>The name of a folder.</summary>
    /// <param name="column">The column.</param>
    /// <param name="value">Its value as text; null for null.</param>
    public static string NameOf(string column, string? value) => $"{Escape(column)}={(string.IsNullOrEmpty(value) ? NullName : Escape(value))}";

    // The characters that Hive escapes: those that mean something in paths, patterns and the shell.
    private static string Escape(string text)
    {
        if (text.All(each => !IsSpecial(each))) return text;
        var escaped = new StringBuilder();
        foreach (var each in text)
        {
            if (IsSpecial(each)) escaped.Append(CultureInfo.InvariantCulture, $"%{(int)each:X2}");
            else escaped.Append(each);
        }
        return escaped.ToString();
    }

    private static bool IsSpecial(char each) => each is < ' ' or '\x7F' || "\"#%'*/:=?\\{[]^".Contains(each);
}
