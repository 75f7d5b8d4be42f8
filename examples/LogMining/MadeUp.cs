using System.Globalization;

/// <summary>A log of one day, the same every time: a database was down from 14 to 15 h, and somebody tries doors.</summary>
internal static class MadeUp
{
    private static readonly string[] Pages = ["/", "/index.html", "/search", "/cart", "/images/logo.png", "/api/orders"];

    public static string Line(int number, int lines)
    {
        var random = new Random(number);
        if (random.Next(1000) == 0) return "-- log rotated --";

        var time = new DateTime(2025, 3, 14).AddSeconds(86_400.0 * number / lines);
        var (client, path) = random.Next(100) == 0
            ? ("203.0.113.66", "/admin/login")
            : ($"198.51.100.{(int)(200 * Math.Pow(random.NextDouble(), 2))}", Pages[random.Next(Pages.Length)]);
        var status = path.StartsWith("/admin", StringComparison.Ordinal) ? 403
            : random.Next(1000) < (time.Hour == 14 ? 200 : 5) ? 503
            : 200;
        var stamp = time.ToString("dd/MMM/yyyy:HH:mm:ss", CultureInfo.InvariantCulture);
        return $"""{client} - - [{stamp} +0000] "GET {path} HTTP/1.1" {status} {(status == 200 ? random.Next(200, 20_000) : 0)}""";
    }
}
