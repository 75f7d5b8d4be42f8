using System.Globalization;
using System.Text.RegularExpressions;

/// <summary>One line of a web server's log, in the Common Log Format.</summary>
internal sealed partial record Request(string Client, DateTime Time, string Method, string Path, int Status, long Bytes)
{
    /// <summary>Null if the line is no request.</summary>
    public static Request? TryParse(string line)
    {
        if (Format().Match(line) is not { Success: true } match) return null;
        string Field(string name) => match.Groups[name].Value;

        if (!DateTimeOffset.TryParseExact(
            Field("time"), "dd/MMM/yyyy:HH:mm:ss zzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)) return null;

        // A dash stands for no bytes.
        _ = long.TryParse(Field("bytes"), out var bytes);
        return new Request(Field("client"), time.UtcDateTime, Field("method"), Field("path"), int.Parse(Field("status")), bytes);
    }

    [GeneratedRegex("""^(?<client>\S+) \S+ \S+ \[(?<time>[^]]+)\] "(?<method>\S+) (?<path>\S+)[^"]*" (?<status>\d{3}) (?<bytes>\d+|-)""")]
    private static partial Regex Format();
}
