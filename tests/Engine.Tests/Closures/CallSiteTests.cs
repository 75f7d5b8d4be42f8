using System.Runtime.CompilerServices;
using Dataflow.Engine.Tests.Fusion;

namespace Dataflow.Engine.Tests.Closures;

public sealed class CallSiteTests
{
    [Fact]
    public void A_call_site_names_the_verb_the_file_and_the_line()
    {
        var site = CallSite.Here("Map"); var line = Line();

        Assert.Equal($"Map at CallSiteTests.cs:{line}", site.ToString());
        Assert.Equal(line, site.Line);
        Assert.EndsWith("CallSiteTests.cs", site.File);
        Assert.Equal(nameof(A_call_site_names_the_verb_the_file_and_the_line), site.Member);
    }

    [Fact]
    public void A_lambda_places_its_verb_within_a_statement_of_many_lines()
    {
        var first = Line() + 1;
        var site = CallSite.Here(
            "Map",
            (int x) =>
                x + 1);

        Assert.Equal(first + 3, site.Line);
    }

    [Fact]
    public void Each_verb_of_a_chain_has_its_own_line_below_several_frames_of_the_engine()
    {
        var first = Line() + 1;
        var kept = new SourceRdd<int>([1, 2, 3])
            .Map(x => x + 1)
            .Filter(x => x > 2);
        var direct = kept.Map(Next); var line = Line();

        Assert.Equal($"Filter at CallSiteTests.cs:{first + 2}", kept.CallSite.ToString());
        Assert.Equal($"Map at CallSiteTests.cs:{first + 1}", kept.Dependencies[0].Rdd.CallSite.ToString());
        Assert.Equal($"Map at CallSiteTests.cs:{line}", direct.CallSite.ToString());

        var count = 0;
        var error = Assert.Throws<ClosureException>(() => kept
            .Map(x => x + 1)
            .Map(x => count += x)); var end = Line();
        Assert.StartsWith($"The lambda in Map at CallSiteTests.cs:{end} writes the captured variable 'count' (Int32). Each worker", error.Message);
        Assert.Equal(0, count);
    }

    [Fact]
    public void A_method_group_leaves_its_verb_at_the_statement()
    {
        var site = CallSite.Here("Map", (Func<int, int>)Next); var line = Line();

        Assert.Equal(line, site.Line);
    }

    [Fact]
    public void The_verbs_of_a_composite_verb_belong_to_it()
    {
        CallSite inner, alsoInner, outer;
        using (var distinct = CallSite.Open("Distinct"))
        {
            inner = CallSite.Here("Map");
            using (CallSite.Open("ReduceByKey"))
                alsoInner = CallSite.Here("MapPartitions");
            outer = distinct.Site;
        }

        Assert.Same(outer, inner);
        Assert.Same(outer, alsoInner);
        Assert.Equal("Distinct", outer.Operation);
        Assert.Equal("Map", CallSite.Here("Map").Operation);
    }

    [Fact]
    public async Task The_line_is_right_after_an_await_and_in_an_iterator()
    {
        await Task.Yield();
        var resumed = CallSite.Here("Count"); var line = Line();
        Assert.Equal($"Count at CallSiteTests.cs:{line}", resumed.ToString());
        Assert.Equal(nameof(The_line_is_right_after_an_await_and_in_an_iterator), resumed.Member);

        var (iterated, iteratedLine) = Sites().First();
        Assert.Equal(iteratedLine, iterated.Line);
        Assert.Equal(nameof(Sites), iterated.Member);
    }

    [Fact]
    public void Lambdas_and_local_functions_carry_the_name_of_their_member()
    {
        Func<CallSite> lambda = () => CallSite.Here("Map");
        static CallSite Local() => CallSite.Here("Map");
        Func<CallSite> nested = () => ((Func<CallSite>)(() => lambda()))();

        Assert.Equal(nameof(Lambdas_and_local_functions_carry_the_name_of_their_member), lambda().Member);
        Assert.Equal(nameof(Lambdas_and_local_functions_carry_the_name_of_their_member), Local().Member);
        Assert.Equal(nameof(Lambdas_and_local_functions_carry_the_name_of_their_member), nested().Member);
    }

    [Fact]
    public void Frames_of_dotnet_between_the_user_and_the_engine_are_passed_over()
    {
        // Reflection puts its own frames in between.
        var here = typeof(CallSite).GetMethod(nameof(CallSite.Here))!;
        var site = (CallSite)here.Invoke(null, ["Map", null])!; var line = Line();

        Assert.Equal($"Map at CallSiteTests.cs:{line}", site.ToString());
    }

    [Fact]
    public void Without_debug_information_the_member_is_named()
    {
        Assert.Equal("Map at Program.cs:13", new CallSite("Map", @"C:\code\Program.cs", 13).ToString());
        Assert.Equal("Map in Run", new CallSite("Map", null, 0, "Run").ToString());
        Assert.Equal("Map", new CallSite("Map", null, 0).ToString());
        Assert.Throws<ArgumentOutOfRangeException>(() => new CallSite("Map", null, -1));
    }

    private static IEnumerable<(CallSite Site, int Line)> Sites()
    {
        yield return (CallSite.Here("Map"), Line());
    }

    private static int Next(int x) => x + 1;

    private static int Line([CallerLineNumber] int line = 0) => line;
}
