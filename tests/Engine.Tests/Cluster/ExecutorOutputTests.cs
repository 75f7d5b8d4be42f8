using Dataflow.Cluster;
using Dataflow.TestKit;
using Microsoft.Extensions.Logging;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>What executors write reaches the worker's log in bounds.</summary>
public sealed class ExecutorOutputTests
{
    private readonly Lines _log = new();
    private readonly ManualTimeProvider _clock = new();
    private readonly ExecutorOutput _output;

    public ExecutorOutputTests() => _output = new ExecutorOutput(7, _log, _clock);

    [Fact]
    public async Task Lines_are_told_as_they_are()
    {
        await _output.ReadAsync(new StringReader("one\r\ntwo\n\nthree\tand\rfour"));
        Assert.Equal(["executor 7: one", "executor 7: two", "executor 7: ", "executor 7: three\tand", "executor 7: four"], _log.Said);
        Assert.Equal(string.Join(Environment.NewLine, "one", "two", "", "three\tand", "four"), _output.Last);
    }

    [Fact]
    public async Task A_line_without_an_end_is_cut_and_control_characters_are_left_out()
    {
        await _output.ReadAsync(new StringReader("\e[2Jred\0\a" + new string('x', 5_000_000) + "\nnext"));
        Assert.Equal(2, _log.Said.Count);
        Assert.StartsWith("executor 7: [2Jredxxx", _log.Said[0]);
        Assert.EndsWith($"x ... {5_000_000 + 6 - ExecutorOutput.LongestLine} more characters", _log.Said[0]);
        Assert.Equal("executor 7: next", _log.Said[1]);
    }

    [Fact]
    public async Task More_than_a_megabyte_a_minute_is_said_once_and_dropped()
    {
        var line = new string('x', 1000);
        var much = string.Join('\n', Enumerable.Repeat(line, 5000));
        await _output.ReadAsync(new StringReader(much));
        await _output.ReadAsync(new StringReader(much));
        Assert.InRange(_log.Said.Count, 1000, 1100);
        Assert.Contains("writes more than", _log.Said[^1]);
        Assert.Single(_log.Said, said => said.Contains("writes more than", StringComparison.Ordinal));
        _clock.Advance(TimeSpan.FromMinutes(1));
        await _output.ReadAsync(new StringReader("again"));
        Assert.Equal("executor 7: again", _log.Said[^1]);
    }

    [Fact]
    public async Task What_comes_after_the_end_is_not_told()
    {
        _output.End();
        await _output.ReadAsync(new StringReader("late\n"));
        Assert.Empty(_log.Said);
    }

    private sealed class Lines : ILogger
    {
        public List<string> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Said.Add(formatter(state, exception));
    }
}
