using System.Runtime.CompilerServices;
using Dataflow.Diagnostics;
using Dataflow.Errors;

namespace Dataflow.Engine.Tests.Closures;

public sealed class UserStackTraceTests
{
    [Fact]
    public void The_users_frames_come_first_and_dotnets_are_folded()
    {
        Func<string, int> parse = text => int.Parse(text); var line = Line();

        var lines = Folded(() => parse("n/a"));

        Assert.Equal("FormatException: The input string 'n/a' was not in a correct format.", lines[0]);
        Assert.StartsWith(
            $"  lambda in UserStackTraceTests.{nameof(The_users_frames_come_first_and_dotnets_are_folded)} at UserStackTraceTests.cs:{line}, in ", lines[1]);
        Assert.Matches(@"^  \(and \d+ more of Dataflow and \.NET\)$", lines[^1]);
        Assert.DoesNotContain(lines.Skip(2), frame => frame.Contains("Number", StringComparison.Ordinal));
    }

    [Fact]
    public void The_engines_frames_are_folded()
    {
        // User calls engine, engine pulls from the user's iterator, that throws.
        var line = 0;
        IEnumerable<int> Items()
        {
            yield return 1;
            line = Line() + 1;
            throw new InvalidOperationException("no more");
        }

        var lines = Folded(() => ChunkReader<int>.From(Items()).TryRead(out _));

        const string test = $"UserStackTraceTests.{nameof(The_engines_frames_are_folded)}";
        Assert.Equal("InvalidOperationException: no more", lines[0]);
        Assert.Equal($"  Items in {test} at UserStackTraceTests.cs:{line}", lines[1]);
        Assert.StartsWith($"  lambda in {test} at UserStackTraceTests.cs:{line + 3}", lines[2]);
        Assert.DoesNotContain(lines, frame => frame.Contains("ChunkReader", StringComparison.Ordinal));
        Assert.Matches(@"^  \(and \d+ more of Dataflow and \.NET\)$", lines[^1]);
    }

    [Fact]
    public async Task An_error_without_a_frame_of_the_user_shows_all_frames()
    {
        // The thread pool calls the engine's method, with nobody in between.
        var reset = Task.Run(new Action(ChunkReader<int>.Empty.AsEnumerable().GetEnumerator().Reset));
        await reset.ContinueWith(_ => { }, TaskScheduler.Default);

        var lines = UserStackTrace.Fold(reset.Exception!).Split('\n');

        Assert.Equal("NotSupportedException: A partition can be iterated once.", lines[0]);
        Assert.Contains("Reset at ChunkReader.cs:", lines[1]);
        Assert.DoesNotContain(lines, frame => frame.Contains("more of", StringComparison.Ordinal));
    }

    [Fact]
    public void Wrapped_errors_follow_as_causes()
    {
        var lines = Folded(() => throw new InvalidDataException("bad order 7", Caught(() => int.Parse("x"))));
        Assert.Equal("InvalidDataException: bad order 7", lines[0]);
        Assert.Contains("caused by FormatException: The input string 'x' was not in a correct format.", lines);

        var many = UserStackTrace.Fold(new AggregateException("two", new IOException("first"), new TimeoutException("second")));
        Assert.EndsWith("\ncaused by IOException: first\ncaused by TimeoutException: second", many);
        Assert.Equal("IOException: alone", UserStackTrace.Fold(new AggregateException(new IOException("alone"))));
    }

    [Fact]
    public void A_deep_recursion_shows_its_first_frames()
    {
        static int Down(int depth) => depth == 0 ? throw new InvalidOperationException("deep") : Down(depth - 1) + 1;

        var lines = Folded(() => Down(200));

        Assert.InRange(lines.Length, 10, 30);
        Assert.Matches(@"^  \(and \d\d\d more\)$", lines[^1]);
    }

    private static Exception Caught(Action action)
    {
        try
        {
            action();
        }
        catch (Exception error)
        {
            return error;
        }

        throw new InvalidOperationException("It did not throw.");
    }

    private static string[] Folded(Action action) => UserStackTrace.Fold(Caught(action)).Split('\n');

    private static int Line([CallerLineNumber] int line = 0) => line;
}
