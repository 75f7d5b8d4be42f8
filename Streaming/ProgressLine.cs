using System.Globalization;

namespace Dataflow.Streaming;

/// <summary>Shows what queries do on one line of a console, which is written over with each batch: <c>context.Streams.AddListener(new ProgressLine())</c>.</summary>
/// <param name="output">Where to; null for the error output, if it is a console, and else nowhere.</param>
public sealed class ProgressLine(TextWriter? output = null) : StreamingListener
{
    private readonly TextWriter _output = output ?? (Console.IsErrorRedirected ? TextWriter.Null : Console.Error);
    private readonly Lock _lock = new();
    private long _rows;
    private int _length;

    /// <inheritdoc/>
    public override void OnProgress(StreamingQuery query, StreamingProgress progress)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(progress);
        lock (_lock)
        {
            _rows += progress.InputRows;
            var late = progress.LateRows > 0 ? string.Create(CultureInfo.InvariantCulture, $", {progress.LateRows} too late") : "";
            var watermark = progress.Watermark is { } at ? string.Create(CultureInfo.InvariantCulture, $", watermark {at:yyyy-MM-dd HH:mm:ss}") : "";
            Draw(string.Create(CultureInfo.InvariantCulture,
                $"{query.Name}: batch {progress.BatchId} in {progress.Duration.TotalMilliseconds:0} ms, {progress.InputRows} rows ({_rows} in all), {progress.StateRows} in state{late}{watermark}"));
        }
    }

    /// <inheritdoc/>
    public override void OnTerminated(StreamingQuery query, Exception? error)
    {
        lock (_lock)
        {
            if (_length > 0) _output.WriteLine();
            _length = 0;
        }
    }

    private void Draw(string line)
    {
        _output.Write($"\r{line}{new string(' ', Math.Max(0, _length - line.Length))}");
        _output.Flush();
        _length = line.Length;
    }
}
