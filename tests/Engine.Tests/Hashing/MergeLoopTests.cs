using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Dataflow.Hashing;

namespace Dataflow.Engine.Tests.Hashing;

/// <summary>Merging by compiled loops gives what merging through delegates gives, for every kind of function.</summary>
public sealed class MergeLoopTests
{
    private const int Seed = 77;

    private readonly int _field = 3;

    [Fact]
    public void Every_kind_of_function_merges_as_its_delegate_does()
    {
        var captured = 5;
        Same<long>((x, y) => x + y);
        Same<long>((x, y) => x * captured + y);
        Same<long>((x, y) => x * _field + y);
        Same<long>(Math.Max);
        Same<long>(Static);
        Same<long>(Instance);
        Same<long>(new Doubling(3).Merge);
        Same<long>(new Derived().Merge);
        Same<long>(((IMerging)new Doubling(2)).Merge);
        Same("prefix".Closed);
        Same(Expression.Lambda<Func<long, long, long>>(
            Expression.Subtract(Parameters[0], Parameters[1]), Parameters).Compile());
        Func<long, long, long> two = (x, y) => x + y;
        two += (x, y) => x - y;
        Same(two);
        Same(Generic<long>);

        static void Same<T>(Func<long, long, T> merge)
            where T : struct
        {
            Compare<long, long>(null, (Func<long, long, long>)(object)merge, random => random.Next());
        }
    }

    [Fact]
    public void Values_may_be_of_any_type()
    {
        Compare<string, string>(null, (x, y) => x + y, random => random.Next(9).ToString());
        Compare<decimal, decimal>(null, (x, y) => x + y, random => random.Next());
        Compare<byte, byte>(null, (x, y) => (byte)(x * 3 + y), random => (byte)random.Next());
        Compare<(string, int), (string, int)>(null, (x, y) => (x.Item1 + y.Item1, x.Item2 + y.Item2), random => (random.Next(9).ToString(), random.Next(9)));
        Compare<int, long>(value => value, (x, y) => x * 7 + y, random => random.Next());
        Compare<int, List<int>>(
            value => [value],
            (list, value) =>
            {
                list.Add(value);
                return list;
            },
            random => random.Next());
        Compare<string, int>(text => text.Length, (x, text) => x + text.Length, random => new string('x', random.Next(9)));
        Compare<Plain, (Plain, int)>(value => (value, 1), (x, value) => (value, x.Item2 + 1), random => new Plain(random.Next(), "a", 1));
    }

    [Fact]
    public void A_function_that_throws_in_a_compiled_loop_leaves_what_came_before_it()
    {
        var table = new AggregationTable<int, int>(warmUp: 0);
        Func<int, int, int> merge = (x, y) => y < 0 ? throw new FormatException() : x + y;
        table.Combine([(1, 1), (2, 2)], merge);
        Assert.Throws<FormatException>(() => table.Combine([(1, 10), (2, -1), (1, 100)], merge));
        Assert.Equal([11, 2], table.Values.ToArray());
    }

    [Fact]
    public void A_loop_is_written_once_enough_values_came_and_only_if_asked()
    {
        var frames = new HashSet<bool>();
        Func<int, int, int> merge = (x, y) =>
        {
            frames.Add(Environment.StackTrace.Contains("at Dataflow.MergeLoop(", StringComparison.Ordinal));
            return x + y;
        };
        var pairs = Enumerable.Repeat((1, 1), 100).ToArray();
        var table = new AggregationTable<int, int>(warmUp: 200);
        table.Combine(pairs, merge);
        table.Combine(pairs, merge);
        Assert.Equal([false], frames);
        table.Combine(pairs, merge);
        Assert.Contains(true, frames);
        Assert.Equal(300, table.Values[0]);

        frames.Clear();
        new AggregationTable<int, int>().Combine(pairs, merge);
        Assert.Equal([false], frames);
    }

    [Fact]
    public void The_same_lambda_with_another_capture_shares_the_loop_and_not_the_capture()
    {
        var results = new List<int>();
        foreach (var factor in new[] { 1, 10, 100 })
        {
            var table = new AggregationTable<int, int>(warmUp: 0);
            table.Combine([(1, 1), (1, 2)], (x, y) => x + factor * y);
            results.Add(table.Values[0]);
        }
        Assert.Equal([3, 21, 201], results);
    }

    private static readonly ParameterExpression[] Parameters = [Expression.Parameter(typeof(long)), Expression.Parameter(typeof(long))];

    private static long Static(long x, long y) => x * 2 - y;

    private static T Generic<T>(long x, long y) => Unsafe.BitCast<long, T>(x ^ y);

    private long Instance(long x, long y) => x * _field + y;

    private static void Compare<TIn, TValue>(Func<TIn, TValue>? create, Func<TValue, TIn, TValue> merge, Func<Random, TIn> make)
    {
        var random = new Random(Seed);
        var pairs = Enumerable.Range(0, 3000).Select(_ => (random.Next(400), make(random))).ToArray();
        var plain = Run(int.MaxValue);
        var compiled = Run(0);
        var mixed = Run(1000);
        var name = $"{typeof(TIn)} into {typeof(TValue)} by {merge.Method}, seed {Seed}";
        Assert.True(plain.Keys.SequenceEqual(compiled.Keys), name);
        for (var i = 0; i < plain.Count; i++)
            Assert.Equivalent(plain.Values[i], compiled.Values[i], strict: true);
        for (var i = 0; i < plain.Count; i++)
            Assert.Equivalent(plain.Values[i], mixed.Values[i], strict: true);

        AggregationTable<int, TValue> Run(int warmUp)
        {
            var table = new AggregationTable<int, TValue>(warmUp: warmUp);
            foreach (var chunk in pairs.Chunk(700))
            {
                if (create is null)
                    table.Combine(Unsafe.As<(int, TValue)[]>(chunk), (Func<TValue, TValue, TValue>)(object)merge);
                else
                    table.Combine(chunk, create, merge);
            }
            return table;
        }
    }

    private interface IMerging
    {
        long Merge(long x, long y);
    }

    private readonly struct Doubling(int factor) : IMerging
    {
        public long Merge(long x, long y) => x * factor + y;
    }

    private abstract class Abstract
    {
        public abstract long Merge(long x, long y);
    }

    private sealed class Derived : Abstract
    {
        public override long Merge(long x, long y) => x - y;
    }
}

internal static class ClosedOverItsFirstArgument
{
    public static long Closed(this string prefix, long x, long y) => prefix.Length * x + y;
}
