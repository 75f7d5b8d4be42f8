using Dataflow.Closures;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>Lambdas that write what they captured, in every way C# has.</summary>
public sealed class CapturedWriteTests
{
    private int _total;

    private int Tally { get; set; }

    [Fact]
    public void The_message_says_what_is_written_where_and_what_to_use_instead()
    {
        var count = 0;
        var error = Assert.Throws<ClosureException>(() => ClosureGuard.Check((int x) => { count++; return x; }, "Map", new CallSite("Map", "/src/Program.cs", 21)));

        Assert.Equal(
            "The lambda in Map at Program.cs:21 writes the captured variable 'count' (Int32). Each worker has its own copy, so the driver "
            + "would never see it. Use context.Counter(\"count\") or an Accumulator instead.",
            error.Message);
        Assert.Equal("Map", error.Site.Operation);
        Assert.Equal(0, count);
    }

    [Fact]
    public void A_place_that_is_not_given_is_found()
    {
        var text = "";
        var error = Assert.Throws<ClosureException>(() => ClosureGuard.Check((int x) => { text += x; }, "ForEach"));

        Assert.StartsWith($"The lambda in ForEach at {nameof(CapturedWriteTests)}.cs:", error.Message);
        Assert.EndsWith("the driver would never see it. Use an Accumulator instead.", error.Message);
        Assert.Equal("", text);
    }

    [Fact]
    public void Assignments_of_every_form_are_refused()
    {
        int count = 0, other = 0;
        string? text = null;
        Refuses("count", (int x) => { count = x; });
        Refuses("count", (int x) => count++);
        Refuses("count", (int x) => ++count);
        Refuses("count", (int x) => count += x);
        Refuses("count", (int x) => { if (x > 3) count -= 1; else other.ToString(); });
        Refuses("count", (int x) => x > 3 ? count = 1 : 0);
        Refuses("text", (int x) => text ??= "a");
        Refuses("other", (int x) => { (_, other) = (x, x); });
        Refuses("count", (int x) => { try { return x; } catch (FormatException) { return count = 2; } });
        Refuses("count", (int x) => { try { return x; } finally { count++; } });
        Refuses("count", (int x) => { for (var i = 0; i < x; i++) { if (i % 2 == 0) continue; count += i; } });
        Refuses("count", (int x) => x switch { 1 => 2, 2 => 3, 7 => count = 4, 9 => 1, _ => 0 });
        Assert.Equal(0, count + other);
    }

    [Fact]
    public void Handing_a_variable_on_as_ref_or_out_is_refused()
    {
        var count = 0;
        var numbers = new int[3];
        Refuses("count", (string s) => int.TryParse(s, out count));
        Refuses("count", (int x) => Interlocked.Add(ref count, x));
        Refuses("numbers", (int x) => Array.Resize(ref numbers, x));
        Refuses("count", (int x) => { ref var alias = ref count; alias += x; });
    }

    [Fact]
    public void Writing_a_part_of_a_captured_struct_is_refused()
    {
        var pair = (First: 1, Second: (2, 3));
        var tally = new Tallied();
        var id = Guid.NewGuid();
        Refuses("pair", (int x) => { pair.First = x; });
        Refuses("pair", (int x) => pair.Second.Item2++);
        Refuses("tally", (int x) => { tally.Count += x; });
        Refuses("tally", (int x) => { tally.Rank = x; });
        Refuses("tally", (int x) => tally.Bump());
        Refuses("tally", (int x) => tally.BumpTwice());
        Refuses("tally", (int x) => { tally = new Tallied { Count = x }; });
        Refuses("id", (int x) => { id = default; });
        Refuses("id", (int x) => { id = new Guid(x, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); });
    }

    [Fact]
    public void A_write_inside_an_inner_lambda_is_refused()
    {
        var count = 0;
        Refuses("count", (int[] xs) => xs.Select(x => { count++; return x; }).ToArray());
        Refuses("count", (int[] xs) => { var own = xs.Length; return xs.Select(x => { count += own; return x; }).ToArray(); });
        Refuses("count", (int[] xs) =>
        {
            var own = xs.Length;
            return xs.Select(x => { var inner = x; return xs.Select(y => count += own + inner + y).Sum(); }).Sum();
        });
    }

    [Fact]
    public void A_write_inside_a_local_function_is_refused()
    {
        var count = 0;
        void Bump() => count++;
        void BumpTwice()
        {
            Bump();
            Bump();
        }

        Refuses("count", (int x) => Bump());
        Refuses("count", (int x) => BumpTwice());
        Refuses("count", (int x) =>
        {
            var own = x;
            void Both()
            {
                own++;
                count++;
            }

            Both();
            return own;
        });
        Refuses("count", (int x) =>
        {
            var own = x;
            void OwnOnly() => own++;
            int Deep(int y)
            {
                OwnOnly();
                int Deeper() => count = y;
                return Deeper() + own;
            }

            return Deep(1);
        });
        Assert.StartsWith("The local function 'Bump' given to Map writes", Message((Action)Bump));
    }

    [Fact]
    public void A_write_inside_an_async_lambda_or_an_iterator_is_refused()
    {
        var count = 0;
        IEnumerable<int> Counted(IEnumerable<int> items)
        {
            foreach (var item in items)
            {
                count++;
                yield return item;
            }
        }

        async Task<int> CountedLater(int x)
        {
            await Task.Yield();
            return count += x;
        }

        Refuses("count", (IEnumerable<int> xs) => Counted(xs));
        Refuses("count", (Func<IEnumerable<int>, IEnumerable<int>>)Counted);
        Refuses("count", async (int x) => { await Task.Yield(); count++; });
        Refuses("count", async (int x) => { await CountedLater(x); });
        Refuses("count", async (int x) =>
        {
            var own = x;
            try
            {
                await Task.Yield();
                own += await Task.Run(() => count += own);
            }
            finally
            {
                await Task.Yield();
            }
        });
    }

    [Fact]
    public void Variables_of_every_scope_around_are_followed()
    {
        var outer = 0;
        for (var i = 0; i < 1; i++)
        {
            var middle = i;
            foreach (var item in new[] { 1 })
            {
                var inner = item;
                Refuses("outer", (int x) => outer += middle + inner);
                Refuses("middle", (int x) => middle += outer + inner);
                Refuses("inner", (int x) => inner += outer + middle);
                Accepts((int x) => outer + middle + inner + item);
            }
        }
    }

    [Fact]
    public void Of_two_lambdas_that_share_a_capture_object_only_the_one_that_writes_is_refused()
    {
        var count = 0;
        var name = "n";
        Func<int, int> writes = x => count += x + name.Length;
        Func<int, int> reads = x => count + x + name.Length;

        Assert.Same(writes.Target, reads.Target);
        Refuses("count", writes);
        Accepts(reads);
        Refuses("count", reads + writes);
        Accepts(reads + reads);
    }

    [Fact]
    public void A_write_by_a_captured_delegate_is_refused()
    {
        var count = 0;
        var bump = () => { count++; };
        Assert.StartsWith(
            "The lambda in Map reads the delegate 'bump', which writes the captured variable 'count' (Int32). Each worker",
            Message((int x) => bump()));

        Func<int, int>? sum = null;
        sum = n => n == 0 ? 0 : n + sum!(n - 1);
        Accepts(sum);
        Func<int, int>? odd = null, even = null;
        odd = n => n != 0 && even!(n - 1) == 1 ? 1 : 0;
        even = n => n == 0 || odd!(n - 1) == 1 ? count = 1 : 0;
        Assert.Contains("writes the captured variable 'count'", Message(odd));
    }

    [Fact]
    public void A_write_to_a_field_of_this_is_refused()
    {
        var factor = 2;
        Refuses("this._total", (int x) => _total += x);
        Refuses("this._total", (int x) => _total += x * factor);
        Refuses("this.Tally", (int x) => { Tally = x; });
        Refuses("this.Tally", (int x) => { Tally += factor; });
        Refuses("this._total", (int[] xs) => xs.Sum(x => _total++));
        Refuses("this._total", (Func<int, int>)AddUp);
        Refuses("this._total", async (int x) => { await Task.Yield(); _total += x + factor; });
        Accepts((int x) => _total + x + Tally);
        Accepts((int x) => _total + x * factor + Tally);
        Accepts((int x) => AddUp(x) * factor);

        Assert.Equal(
            "The lambda in Map writes the field 'this._total' (Int32). Each worker has its own copy of the object, so the driver would never "
            + "see it. Use context.Counter(\"_total\") or an Accumulator instead.",
            Message((int x) => _total += x));
        Assert.StartsWith("The method 'AddUp' given to Map writes", Message((Func<int, int>)AddUp));
    }

    [Fact]
    public void A_primary_constructor_parameter_is_a_field_of_this()
    {
        Refuses("this.start", new Counted(3).Writing());
        Accepts(new Counted(3).Reading());
    }

    [Fact]
    public void An_object_of_the_same_class_made_in_the_lambda_may_be_written()
    {
        Accepts((int x) => { var copy = new CapturedWriteTests { _total = _total }; copy._total++; return copy; });
        Accepts((int x) => new CapturedWriteTests { Tally = Tally, _total = x });
        Accepts((CapturedWriteTests other) => { other._total += _total; other.Tally = Tally; });
    }

    [Fact]
    public void Lambdas_in_generic_methods_and_classes_are_read()
    {
        Generic("a", 1);
        Generic(1, "b");
        Refuses("last", new Box<string>().Writing("x"));
        Refuses("last", new Box<int>().Writing(1));
        Refuses("this.Value", new Box<int>().WritingOwn());
        Accepts(new Box<string>().Reading("x"));
        Accepts(new Box<int>().Reading(1));

        static void Generic<TFirst, TSecond>(TFirst first, TSecond second)
        {
            var pair = (first, second);
            Refuses("first", (TFirst x) => first = x);
            Refuses("pair", (TFirst x) => { pair.first = x; });
            Refuses("second", (TSecond[] xs) => xs.Select(x => second = x).Count());
            Accepts((TFirst x) => EqualityComparer<TFirst>.Default.Equals(x, first) && pair.second is not null);
        }
    }

    internal static void Refuses(string variable, Delegate lambda) => Assert.Contains($" '{variable}' (", Message(lambda));

    internal static void Accepts(Delegate lambda) => ClosureGuard.Check(lambda, "Map");

    internal static string Message(Delegate lambda) =>
        Assert.Throws<ClosureException>(() => ClosureGuard.Check(lambda, "Map", new CallSite("Map", null, 0))).Message;

    private int AddUp(int x) => _total += x;

    private struct Tallied
    {
        public int Count;

        public int Rank { get; set; }

        public int Bump() => ++Count;

        public int BumpTwice() => Bump() + Bump();
    }

    private sealed class Counted(int start)
    {
        public Func<int, int> Writing() => x => start += x;

        public Func<int, int> Reading() => x => start + x;
    }

    private sealed class Box<T>
    {
        public T? Value;

        public Func<T, T> Writing(T last) => x => last = x;

        public Func<T, T> WritingOwn() => x => Value = x;

        public Func<T, bool> Reading(T last) => x => Equals(x, last) || Equals(Value, x);
    }
}
