using Dataflow.Diagnostics;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>Exceptions of the user's classes may have members that throw, and texts without end.</summary>
public sealed class RudeErrorTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_exception_that_can_not_say_what_it_is_fails_its_job_only(bool ships)
    {
        using var context = Context(ships);
        var numbers = context.Range(0, 10, partitions: 2);
        var error = Assert.Throws<JobFailedException>(() => numbers.Map(i => i < 20 ? throw new Mute() : i).Count());
        Assert.Contains("threw Mute on attempt", error.Message);
        Assert.Contains("Message of this exception threw NotSupportedException itself", error.Message);
        Assert.Contains("RudeErrorTests", error.ToString());
        Assert.Equal(10, numbers.Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_message_without_end_is_cut(bool ships)
    {
        using var context = Context(ships);
        var error = Assert.Throws<JobFailedException>(() => context.Range(0, 1).Map(i => i < 20 ? throw new InvalidOperationException(new string('x', 10_000_000)) : i).Count());
        Assert.InRange(error.Message.Length, ExceptionText.Most, 2 * ExceptionText.Most);
        Assert.Contains("xxx ... 9,934,464 more characters", error.Message);
        if (ships) Assert.InRange(Assert.IsType<RemoteTaskException>(error.InnerException).RemoteMessage.Length, ExceptionText.Most, ExceptionText.Most + 100);
    }

    [Fact]
    public void A_final_error_from_an_executor_is_named_by_its_own_class()
    {
        var remote = RemoteError.Of(new ResultTooLargeException("no")).ToException();
        Assert.Equal("ResultTooLargeException", ExceptionText.NameOf(remote));
        Assert.Equal("Mute", ExceptionText.NameOf(RemoteError.Of(new Mute()).ToException()));
    }

    [Fact]
    public void Numbers_that_do_not_fit_are_no_fault_of_the_engine()
    {
        using var context = Context(ships: true);
        var error = Assert.Throws<JobFailedException>(() => context.Parallelize([int.MaxValue, int.MaxValue], 1).Sum());
        Assert.Contains("threw OverflowException", error.Message);
        Assert.Contains("the numbers are too large", error.Message);
    }

    private static DataflowContext Context(bool ships) =>
        ships ? ShippingBackend.Context(DataflowOptions.Default with { Threads = 2 }, out _) : DataflowContext.Local(2);

    private sealed class Mute : Exception
    {
        public override string Message => throw new NotSupportedException();

        public override string StackTrace => throw new NotSupportedException();

        public override string ToString() => throw new NotSupportedException();
    }
}
