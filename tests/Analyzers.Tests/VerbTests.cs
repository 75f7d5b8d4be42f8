using System.Reflection;
using Dataflow.Closures;

namespace Dataflow.Analyzers.Tests;

/// <summary>Which lambdas are looked at.</summary>
public sealed class VerbTests
{
    [Fact]
    public void Methods_of_ones_own_say_what_they_hand_on()
    {
        const string members = """
            static void Each<T>(Rdd<T> rdd, [RunsInTasks] Action<T> action) => rdd.ForEach(action);
            static void Any([RunsInTasks] Delegate action) => action.ToString();
            static void Here<T>(Rdd<T> rdd, Action<T> action) => Array.ForEach(rdd.Collect(), action);
            """;
        AnalyzedProgram.Check("var count = 0; Each(rdd, x => [|DF0001:count|]++);", members);
        AnalyzedProgram.Check("var count = 0; Any((int x) => [|DF0001:count|]++);", members);
        AnalyzedProgram.Check("var count = 0; Here(rdd, x => count++);", members);
    }

    [Theory]
    [InlineData("var n = 0; pairs.MapValues(x => x + [|DF0001:n|]++);")]
    [InlineData("var n = 0; PairRdd.MapValues(pairs, x => x + [|DF0001:n|]++);")]
    [InlineData("var n = 0; pairs.AggregateByKey(0, (a, b) => a + [|DF0001:n|]++, (a, b) => a + [|DF0001:n|]++);")]
    [InlineData("var n = 0; rdd.SortBy(x => x + [|DF0001:n|]++);")]
    [InlineData("var n = 0; rdd.Top(3, by: x => x + [|DF0001:n|]++);")]
    [InlineData("var n = 0; rdd.Barrier().MapPartitions(items => items.Select(x => x + [|DF0001:n|]++));")]
    [InlineData("var n = 0; rdd.Aggregate(0, merge: (a, b) => a + b, update: (a, x) => a + [|DF0001:n|]++);")]
    [InlineData("var n = 0; rdd.Select(x => x + [|DF0001:n|]++);")]
    [InlineData("var n = 0; _ = from x in rdd let y = x + [|DF0001:n|]++ where y > 1 select (x, y);")]
    [InlineData("var n = 0; rdd.Map(x => x).Map(x => x + [|DF0001:n|]++).Filter(x => x > 1).Count();")]
    [InlineData("var n = 0; rdd?.Map(x => x + [|DF0001:n|]++);")]
    public void Every_way_to_call_a_verb_is_one(string body) => AnalyzedProgram.Check(body);

    [Fact]
    public void A_program_without_the_engine_is_left_alone() =>
        AnalyzedProgram.CheckTypes("static class P { static void Main() { var n = 0; new List<int>().ForEach(x => n++); } }");

    /// <summary>The rule is that a context or an Rdd, or what else is driver-only, is among what a verb is called with.</summary>
    [Fact]
    public void Every_method_that_takes_a_delegate_and_gives_an_Rdd_is_a_verb()
    {
        // The compiler writes each member of an extension block twice: as a method that can be called, and without code in a class <G>.
        var methods = typeof(Rdd).Assembly.GetExportedTypes().Where(type => !type.Name.StartsWith('<'))
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(method => typeof(Rdd).IsAssignableFrom(method.ReturnType) && method.GetParameters().Any(IsDelegate)).ToArray();
        Assert.InRange(methods.Length, 30, int.MaxValue);
        Assert.Empty(methods
            .Where(method => !IsDriverOnly(method.DeclaringType!) && !method.GetParameters().Any(parameter => IsDriverOnly(parameter.ParameterType)))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}"));
    }

    private static bool IsDelegate(ParameterInfo parameter) => typeof(Delegate).IsAssignableFrom(parameter.ParameterType);

    private static bool IsDriverOnly(Type type) => typeof(IDriverOnly).IsAssignableFrom(type);
}
