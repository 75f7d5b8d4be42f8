using System.Text;
using Microsoft.Extensions.Logging;

namespace Dataflow.Cluster;

/// <summary>
/// What an executor writes to its two streams, as lines of the worker's log. The user's code writes what it likes: long lines are cut, control characters are left
/// out, and what is more than <see cref="MostAMinute"/> is read and dropped. Holds a line, never more.
/// </summary>
/// <param name="process">The executor's number in the system.</param>
/// <param name="logger">Takes the lines.</param>
/// <param name="time">Tells the minutes.</param>
internal sealed class ExecutorOutput(int process, ILogger logger, TimeProvider time)
{
    /// <summary>Characters of a line at most.</summary>
    public const int LongestLine = 4096;

    /// <summary>Characters that are logged in a minute at most, from both streams.</summary>
    public const int MostAMinute = 1 << 20;

    private const int LastLines = 5;

    private readonly Lock _lock = new();
    private readonly Queue<string> _last = new();
    private long _minute;
    private int _logged;
    private bool _began;
    private volatile bool _ended;

    /// <summary>The last lines.</summary>
    public string Last
    {
        get
        {
            lock (_lock) return string.Join(Environment.NewLine, _last);
        }
    }

    /// <summary>No more is wanted: what readers meet from now on is the output of processes that the executor left behind.</summary>
    public void End() => _ended = true;

    /// <summary>Reads a stream to its end, and closes it.</summary>
    public async Task ReadAsync(TextReader from)
    {
        using (from)
        {
            var buffer = new char[LongestLine];
            var line = new StringBuilder();
            long dropped = 0;
            var lineFeedMayFollow = false;
            for (int read; !_ended && (read = await from.ReadAsync(buffer.AsMemory()).ConfigureAwait(false)) > 0;)
            {
                foreach (var character in buffer.AsSpan(0, read))
                {
                    var isEnd = character is '\n' or '\r';
                    if (isEnd && !(character == '\n' && lineFeedMayFollow)) Take();
                    lineFeedMayFollow = character == '\r';
                    if (isEnd || (char.IsControl(character) && character != '\t')) continue;
                    if (line.Length < LongestLine) line.Append(character);
                    else dropped++;
                }
            }
            if (line.Length > 0) Take();

            void Take()
            {
                if (dropped > 0) line.Append(" ... ").Append(dropped).Append(" more characters");
                Log(line.ToString());
                line.Clear();
                dropped = 0;
            }
        }
    }

    private void Log(string line)
    {
        bool isTooMuch;
        lock (_lock)
        {
            if (_ended) return;
            _last.Enqueue(line);
            if (_last.Count > LastLines) _last.Dequeue();
            var now = time.GetTimestamp();
            if (!_began || time.GetElapsedTime(_minute, now) >= TimeSpan.FromMinutes(1)) (_began, _minute, _logged) = (true, now, 0);
            if (_logged > MostAMinute) return;
            _logged += line.Length + 1;
            isTooMuch = _logged > MostAMinute;
        }
        if (isTooMuch) logger.LogWarning("executor {Process} writes more than {Most} characters a minute: the rest of this minute is not logged", process, MostAMinute);
        else logger.LogInformation("executor {Process}: {Line}", process, line);
    }
}
