using System.Linq.Expressions;
using Dataflow.Closures;
using static Dataflow.Engine.Tests.Closures.CapturedWriteTests;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>Lambdas that must pass: they read what they captured, change what it refers to, or write only what is their own.</summary>
public sealed class CapturedReadTests
{
    private static int _shared;

    [Fact]
    public void Reading_captured_variables_is_allowed()
    {
        var count = 3;
        var text = "abc";
        var set = new HashSet<string> { "a" };
        Accepts((int x) => x + count);
        Accepts((string s) => set.Contains(s) && s.StartsWith(text, StringComparison.Ordinal));
        Accepts((int x) => $"{text} {count,5:N0} {x}");
        Accepts((int x) => count switch { 1 => "one", 2 => "two", _ => text });
        Accepts((int x) => from c in text where c > count select c);
    }

    [Fact]
    public void Methods_of_captured_structs_are_allowed()
    {
        var pair = (First: 1, Second: "b");
        var day = new DateTime(2024, 2, 29);
        int? maybe = 4;
        var memory = new Memory<byte>(new byte[4]);
        var id = Guid.NewGuid();
        var amount = 12.5m;
        var segment = new ArraySegment<int>(new int[4]);
        var point = new Point(1, 2);
        var cancel = CancellationToken.None;
        Accepts((int x) => pair.First + pair.Second.Length + x);
        Accepts((int x) => day.AddDays(x).Year + day.Month);
        Accepts((int x) => maybe.HasValue ? maybe.Value : maybe.GetValueOrDefault(x));
        Accepts((int x) => { memory.Span[0] = (byte)x; return memory.Length; });
        Accepts((int x) => id.ToString() + amount.ToString() + day.ToString("O"));
        Accepts((int x) => { segment[1] = x; });
        Accepts((int x) => point.Length + point.X + point.Scaled(x).Y);
        Accepts((int x) => (point with { X = x }).Length);
        Accepts((int x) => cancel.ThrowIfCancellationRequested());
        Accepts((int x) => point.Equals(new Point(x, x)) && point.GetHashCode() == x);
    }

    [Fact]
    public void Handing_a_variable_on_as_in_or_ref_readonly_is_allowed()
    {
        var point = new Point(1, 2);
        var count = 1;
        Accepts((int x) => Norm(in point) + x);
        Accepts((int x) => NormOf(in point) + x);
        Accepts((int x) => Volatile.Read(in count));
        Accepts((int x) => { ref readonly var alias = ref point; return alias.X; });

        static double Norm(in Point p) => p.Length;
        static double NormOf(ref readonly Point p) => p.Length;
    }

    [Fact]
    public void Changing_what_a_variable_refers_to_is_a_read_of_it()
    {
        var numbers = new int[4];
        var list = new List<int>();
        var box = new Boxed();
        var grid = new int[2, 2];
        Accepts((int x) => { numbers[x]++; });
        Accepts((int x) => { list.Add(x); list[0] = x; });
        Accepts((int x) => { box.Count++; box.Rank = x; });
        Accepts((int x) => { box.Inner.X = x; });
        Accepts((int x) => Interlocked.Increment(ref numbers[0]));
        Accepts((int x) => Interlocked.Increment(ref box.Count));
        Accepts((int x) => { grid[0, 1] += x; });
    }

    [Fact]
    public void Locals_of_the_lambda_itself_may_be_written_by_its_inner_lambdas()
    {
        var factor = 2;
        Accepts((int[] xs) => { var sum = 0; Array.ForEach(xs, x => sum += x); return sum; });
        Accepts((int[] xs) => { var sum = 0; Array.ForEach(xs, x => sum += x * factor); return sum; });
        Accepts((int[] xs) =>
        {
            var sum = factor;
            void Add(int x)
            {
                var own = x * factor;
                Array.ForEach(xs, y => { own += y; sum += own; });
            }

            foreach (var x in xs)
                Add(x);
            return sum;
        });
        Accepts((int x) => { x += factor; Func<int> inner = () => x++; return inner() + factor; });
        Accepts(async (int x) =>
        {
            var sum = factor;
            for (var i = 0; i < x; i++)
            {
                await Task.Yield();
                sum += i;
                await Task.Run(() => sum += factor);
            }

            return sum;
        });
    }

    [Fact]
    public void Iterators_may_write_their_own_state()
    {
        var factor = 2;
        IEnumerable<int> Scaled(IEnumerable<int> items)
        {
            var at = 0;
            foreach (var item in items)
                yield return item * factor + at++;
        }

        Accepts((IEnumerable<int> xs) => Scaled(xs));
        Accepts((Func<IEnumerable<int>, IEnumerable<int>>)Scaled);
    }

    [Fact]
    public void A_recursive_local_function_may_fill_its_own_variables()
    {
        // Each call makes a capture object of the very class the lambda's own is of.
        var depth = 3;
        Func<int, int> Nested(int level)
        {
            var sum = 0;
            sum += level + depth;
            return x => level == 0 ? x + sum : Nested(level - 1)(x + sum);
        }

        Accepts(Nested(1));
    }

    [Fact]
    public void The_delegate_that_an_inner_lambda_is_kept_in_is_no_variable()
    {
        var total = 5;
        // The inner lambda captures only the outer scope, so its delegate is kept in the outer scope's capture object.
        Func<int[], int> lambda = xs => { var sum = 0; for (var i = 0; i < 3; i++) sum += xs.Count(x => x > total); return sum; };
        Accepts(lambda);
        Assert.Contains(ClosureCapture.Of(lambda.Method).Variables, variable => variable.IsPlumbing);
    }

    [Fact]
    public void Static_lambdas_and_method_groups_are_allowed()
    {
        var text = "abc";
        var list = new List<int>();
        var words = new[] { "a" };
        Accepts(static (int x) => x + 1);
        Accepts((int x) => x + 1);
        Accepts((Func<string, int>)int.Parse);
        Accepts((Func<string, int>)text.IndexOf);
        Accepts((Action<int>)list.Add);
        Accepts((Func<string, bool>)words.Contains);
        Accepts((Func<int, int>)new Boxed().Plus);
        Accepts((Func<string, string>)text.Joined);
        Refuses("this.Count", (Action<int>)new Boxed().BumpBy);
    }

    [Fact]
    public void Writes_to_static_fields_are_told_but_not_refused()
    {
        var factor = 2;
        Func<int, int> lambda = x => _shared += x * factor;
        Accepts(lambda);
        Assert.Equal([nameof(_shared)], ClosureCapture.Of(lambda.Method).StaticWrites.Select(field => field.Name));

        Func<int, int> interlocked = x => Interlocked.Add(ref _shared, factor);
        Assert.Equal([nameof(_shared)], ClosureCapture.Of(interlocked.Method).StaticWrites.Select(field => field.Name));

        Func<int, int> reads = x => _shared + factor;
        Assert.Empty(ClosureCapture.Of(reads.Method).StaticWrites);
    }

    [Fact]
    public void Code_made_at_run_time_passes_unread()
    {
        var parameter = Expression.Parameter(typeof(int));
        var compiled = Expression.Lambda<Func<int, int>>(Expression.Increment(parameter), parameter).Compile();

        Accepts(compiled);
        Assert.False(ClosureCapture.Of(compiled.Method).IsKnown);
    }

    [Fact]
    public void The_capture_tells_reads_writes_and_untouched_fields_by_path()
    {
        int read = 1, written = 2, both = 3, neighbours = 4;
        for (var loop = 0; loop < 1; loop++)
        {
            var item = loop;
            Func<int, int> lambda = x => { written = x; return both += read + item; };
            Func<int, int> neighbour = x => x + neighbours + item;

            var capture = ClosureCapture.Of(lambda.Method);
            Assert.True(capture.IsKnown);
            Assert.Equal(
                ["both: read, written", "item: read", "read: read", "written: written"],
                capture.Variables.Where(variable => !variable.IsPlumbing).Select(Told).Order());
            Assert.Equal([0, 1, 2, 3], capture.Variables.Where(variable => !variable.IsPlumbing).OrderBy(variable => variable.Name switch
            {
                "item" => 0, "read" => 1, "written" => 2, _ => 3,
            }).Select(variable => variable.ValueIn(lambda.Target)));

            // All of a method's variables that anyone captured sit in one object; the lambda touches some.
            var outer = capture.Variables.Single(variable => variable.Name == "read").Owner.Type;
            Assert.True(capture.MayTouch(outer.GetField("written")!));
            Assert.False(capture.MayTouch(outer.GetField("neighbours")!));
            Assert.True(ClosureCapture.Of(neighbour.Method).MayTouch(outer.GetField("neighbours")!));
        }

        static string Told(CapturedVariable variable) =>
            $"{variable.Name}: {string.Join(", ", new[] { variable.IsRead ? "read" : "", variable.IsWritten ? "written" : "" }.Where(word => word != ""))}";
    }

    [Fact]
    public void Fields_that_only_state_machines_and_inner_lambdas_touch_are_known()
    {
        int first = 1, second = 2, third = 3;
        IEnumerable<int> Iterated(int x)
        {
            yield return x + first;
        }

        Func<int, Task<int>> lambda = async x =>
        {
            await Task.Yield();
            return Iterated(x).Select(y => y + second).Sum();
        };
        Func<int> neighbour = () => third;

        var capture = ClosureCapture.Of(lambda.Method);
        var type = lambda.Target!.GetType();
        Assert.True(capture.MayTouch(type.GetField("first")!));
        Assert.True(capture.MayTouch(type.GetField("second")!));
        Assert.False(capture.MayTouch(type.GetField("third")!));
        Assert.Equal(3, neighbour());
        Assert.Equal(["first", "second"], capture.Variables.Where(variable => !variable.IsPlumbing).Select(variable => variable.Name).Order());
    }

    private record struct Point(int X, int Y)
    {
        public readonly double Length => Math.Sqrt((X * X) + (Y * Y));

        public readonly Point Scaled(int by) => this with { X = X * by, Y = Y * by };
    }

    private sealed class Boxed
    {
        public int Count;
        public Point Inner;

        public int Rank { get; set; }

        public int Plus(int x) => x + Count;

        public void BumpBy(int x) => Count += x;
    }
}

internal static class Joining
{
    public static string Joined(this string first, string second) => first + second;
}
