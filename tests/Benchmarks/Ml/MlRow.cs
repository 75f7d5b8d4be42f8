using System.Globalization;
using System.Text.Json;

namespace Dataflow.Benchmarks.Ml;

/// <summary>A line of the table: ours beside the peer's.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Unit"><c>s</c>, <c>MB</c>, <c>us</c>; or <c>1/s</c>, where more is better, and the ratio is turned round.</param>
/// <param name="Ours">Ours.</param>
/// <param name="Theirs">The peer's; null if there is none.</param>
/// <param name="Peer">Who the peer is.</param>
/// <param name="Quality">How good the answers are: ours, the peer's.</param>
internal sealed record MlRow(string What, string Unit, double Ours, double? Theirs, string Peer, string Quality)
{
    /// <summary>Ours by the peer's; for rates the other way round, so that less is always better.</summary>
    public double? Ratio => Theirs is { } theirs ? (Unit == "1/s" ? theirs / Ours : Ours / theirs) : null;

    /// <summary>The head of the table.</summary>
    public static string Head => $"{"",-34}{"ours",14}{"peer",14}{"ratio",8}  quality (ours; peer)";

    /// <summary>As a line of the table.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{What,-34}{Number(Ours),11} {Unit,-2}{(Theirs is { } theirs ? $"{Number(theirs),11} {Unit,-2}" : $"{"-",14}"),14}{(Ratio is { } ratio ? $"{ratio:F2}x" : "-"),8}  {Quality}  {Peer}");

    /// <summary>As a line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(new { what = What, unit = Unit, ours = Ours, peer_value = Theirs, ratio = Ratio, peer = Peer, quality = Quality });

    private static string Number(double value) => value.ToString(value >= 1000 ? "N0" : "F3", CultureInfo.InvariantCulture);
}
