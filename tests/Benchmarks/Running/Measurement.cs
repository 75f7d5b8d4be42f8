namespace Dataflow.Benchmarks.Running;

/// <summary>One line of a results table: our figure, the peer's figure of the same run, and what is asked of them.</summary>
/// <param name="Name">What was done and against whom.</param>
/// <param name="Unit">Unit of both figures.</param>
/// <param name="Ours">Our figure.</param>
/// <param name="Peer">The peer's figure; null where the figure is judged alone.</param>
/// <param name="Must">The limit of the ratio, or of our figure where there is no peer.</param>
/// <param name="Goal">What is wished for.</param>
/// <param name="HigherIsBetter">Whether the limits are lower bounds.</param>
internal sealed record Measurement(string Name, string Unit, double Ours, double? Peer, double Must, double Goal, bool HigherIsBetter = false)
{
    public double? Ratio => Ours / Peer;

    public bool MeetsMust => Within(Must);

    public bool MeetsGoal => Within(Goal);

    private bool Within(double limit)
    {
        var judged = Ratio ?? Ours;
        return HigherIsBetter ? judged >= limit : judged <= limit;
    }
}
