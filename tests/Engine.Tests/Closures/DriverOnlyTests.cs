using Dataflow.Closures;
using Dataflow.Engine.Tests.Fusion;
using static Dataflow.Engine.Tests.Closures.CapturedWriteTests;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>Lambdas that reach for what lives in the driver only.</summary>
public sealed class DriverOnlyTests
{
    private readonly Session _session = new();
    private readonly int _factor = 2;

    private Session Current { get; } = new();

    [Fact]
    public void Reading_a_captured_driver_only_object_is_refused()
    {
        var session = new Session();
        Session? none = null;
        Assert.Equal(
            "The lambda in Map uses 'session' (Session) inside a task: a Session lives in the driver only. Take what the lambda needs from it "
            + "before this verb, and capture that.",
            Message((int x) => session.Run(x)));
        Refuses("none", (int x) => none is null ? 1 : 2);
        Refuses("session", (int[] xs) => xs.Select(x => session.Run(x)).Sum());
        Refuses("session", async (int x) => { await Task.Yield(); return session.Run(x); });
    }

    [Fact]
    public void Rdds_and_contexts_have_their_own_advice()
    {
        Rdd<int>? other = null;
        DataflowContext? context = null;
        Assert.Equal(
            "The lambda in Map uses 'other' (Rdd<int>) inside a task: Rdds live in the driver only. Collect it first, broadcast it, or join the "
            + "two Rdds.",
            Message((int x) => other!.Id));
        Assert.Contains(
            "uses 'context' (DataflowContext) inside a task: contexts live in the driver only. Do that part before this verb",
            Message((int x) => context!.Options));
    }

    [Fact]
    public void An_rdd_used_inside_the_lambda_of_another_is_refused_by_the_verb()
    {
        var numbers = new SourceRdd<int>([1, 2]);
        var other = numbers.Map(x => x + 1);

        var error = Assert.Throws<ClosureException>(() => numbers.Map(x => other.Id + x));

        Assert.Contains(": Rdds live in the driver only. Collect it first, broadcast it, or join the two Rdds.", error.Message);
        Assert.Equal("Map", error.Site.Operation);
    }

    [Fact]
    public void A_driver_only_object_that_only_a_neighbour_captured_is_allowed()
    {
        var session = new Session();
        var factor = 3;
        Func<int, int> map = x => x * factor;
        Func<int, int> driver = x => session.Run(x);

        Assert.Same(map.Target, driver.Target);
        Accepts(map);
        Refuses("session", driver);
    }

    [Fact]
    public void Driver_only_objects_in_arrays_lists_and_tuples_are_found_by_declared_type()
    {
        Session[] array = [new()];
        var list = new List<Session>();
        var pair = (1, new Session());
        var byName = new Dictionary<string, Session>();
        Func<Session, int> taking = s => 1;
        var tree = new Tree<int>();
        Refuses("array", (int x) => array.Length);
        Refuses("list", (int x) => list.Count);
        Refuses("pair", (int x) => pair.Item1);
        Refuses("byName", (int x) => byName.Count);
        Accepts((int x) => taking is null);
        Accepts((int x) => tree.Count());
    }

    [Fact]
    public void What_the_declared_type_leaves_open_is_told_by_the_value()
    {
        object thing = new Session();
        IDisposable disposable = new Session();
        Holder holder = new DriverHolder();
        Refuses("thing", (int x) => thing.ToString());
        Refuses("disposable", (int x) => disposable.Dispose());
        Refuses("holder", (int x) => holder.ToString());
        Assert.Contains("uses 'holder' (DriverHolder)", Message((int x) => holder.ToString()));

        // The same code with other values is allowed: only the reading of the code is kept.
        foreach (var (allowed, value) in new (bool, object)[] { (true, "text"), (false, new Session()), (true, 3) })
        {
            Func<int, string?> lambda = x => value.ToString();
            if (allowed)
                Accepts(lambda);
            else
                Refuses("value", lambda);
        }
    }

    [Fact]
    public void Fields_of_this_that_are_read_are_checked_and_the_others_are_not()
    {
        var own = 3;
        Refuses("this._session", (int x) => _session.Run(x));
        Refuses("this._session", (int x) => _session.Run(x) * own);
        Refuses("this.Current", (int x) => Current.Run(x));
        Refuses("this._session", (int[] xs) => xs.Sum(x => _session.Run(x) * own));
        Accepts((int x) => x * _factor);
        Accepts((int x) => x * _factor * own);
    }

    [Fact]
    public void A_delegate_on_a_driver_only_object_is_refused()
    {
        var session = new Session();
        var run = session.Run;
        Assert.StartsWith("The method 'Run' given to Map uses 'this' (Session) inside a task", Message((Func<int, int>)session.Run));
        Assert.StartsWith("The lambda in Map reads the delegate 'run', which uses 'this' (Session) inside a task", Message((int x) => run(x)));
        Refuses("this", session.Lambda());
        Refuses("this", (Func<int, int>)session.RunTwice);
    }

    public sealed class Session : IDriverOnly, IDisposable
    {
        private readonly int _id = 1;

        public int Run(int x) => x + _id;

        public Func<int, int> Lambda() => x => x + _id;

        public void Dispose()
        {
        }
    }

    private sealed class Tree<T> : List<Tree<T>>;

    private class Holder;

    private sealed class DriverHolder : Holder, IDriverOnly;
}

internal static class SessionExtensions
{
    public static int RunTwice(this DriverOnlyTests.Session session, int x) => session.Run(session.Run(x));
}
