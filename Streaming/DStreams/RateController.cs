namespace Dataflow.Streaming.DStreams;

/// <summary>
/// How many rows a second batches can take, from how long those before took: a PID controller, with the error being the rate beyond what was processed, and its sum the rows that wait.
/// </summary>
/// <remarks>The proportional part is the error, the integral part a fifth of the rows that waited when the batch began, as a rate over an interval; there is no derivative part.</remarks>
internal sealed class RateController(TimeSpan interval, double least, double most)
{
    private const double Proportional = 1;
    private const double Integral = 0.2;
    private double? _rate;

    /// <summary>Rows a second; the most that is allowed before anything is known.</summary>
    public double Rate => _rate ?? most;

    /// <summary>A batch is done.</summary>
    public void Note(long rows, TimeSpan processing, TimeSpan waited)
    {
        if (rows == 0 || processing <= TimeSpan.Zero) return;
        var done = rows / processing.TotalSeconds;
        if (_rate is not { } rate)
        {
            _rate = Math.Clamp(done, least, most);
            return;
        }
        var error = rate - done;
        var behind = waited.TotalSeconds * done / interval.TotalSeconds;
        _rate = Math.Clamp(rate - (Proportional * error) - (Integral * behind), Math.Min(least, most), most);
    }
}
