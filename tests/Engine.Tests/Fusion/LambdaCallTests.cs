using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using Dataflow.Fusion;

namespace Dataflow.Engine.Tests.Fusion;

public class LambdaCallTests
{
    private readonly int _offset = 10;

    public static int Twice(int x) => 2 * x;

    public int Offset(int x) => x + _offset;

    public static T Same<T>(T x) => x;

    private static int Length(object x) => x.ToString()!.Length;

    private static Func<int, T> Made<T>(T value) => x => x > 0 ? value : default!;

    [Fact]
    public void Lambdas_that_have_a_method_of_their_own_are_called_by_it()
    {
        var captured = 3;
        AssertDirect(x => x + 1, 6);
        AssertDirect(x => x + captured, 8);
        AssertDirect(x => x + _offset, 15);
        AssertDirect(static x => x - 1, 4);
        AssertDirect(Twice, 10);
        AssertDirect(Offset, 15);
        AssertDirect(Same, 5);
        AssertDirect(Made(7), 7);
        AssertDirect(new List<int> { 4, 4, 4, 4, 4, 9 }.IndexOf, -1);
        AssertDirect(new Derived().Virtual, 50);
        AssertDirect(new Derived().Base(), 6);
        AssertDirect(x => { try { return int.Parse($"{x}!"); } catch (FormatException) { return -1; } }, -1);
    }

    [Fact]
    public void A_static_method_closed_over_its_first_argument_is_called_by_it()
    {
        AssertDirect(new[] { 1, 2, 3 }.PlusLength, 8);
        AssertDirect(((int[]?)null).PlusLength, 5);
    }

    [Fact]
    public void Other_lambdas_are_called_through_their_delegate()
    {
        var combined = (Func<int, int>)(x => x + 1);
        combined += x => x + 100;
        AssertThroughDelegate(combined, 105);
        AssertThroughDelegate(Expression.Lambda<Func<int, int>>(Expression.Constant(3), Expression.Parameter(typeof(int))).Compile(), 3);
        AssertThroughDelegate(new Number(4).Plus, 9);
        AssertThroughDelegate(new Derived().Generic<string>, 5);
        AssertThroughDelegate(((IShape)new Derived()).Default, 55);
    }

    [Fact]
    public void An_open_instance_method_is_called_through_its_delegate()
    {
        var length = (Func<string, int>)typeof(string).GetProperty("Length")!.GetMethod!.CreateDelegate(typeof(Func<string, int>));
        Assert.Null(LambdaCall.Of(length).Method);
        AssertSame(new SourceRdd<string>(["a", "bcd"]).Map(length), 1, 3);
    }

    [Fact]
    public void Lambdas_of_other_parameter_and_result_types_are_called_as_the_compiler_allows()
    {
        AssertSame(new SourceRdd<string>(["a", "bcd"]).Map<int>(Length), 1, 3);
        Func<object, string> text = o => o.ToString()!;
        AssertSame(new SourceRdd<string>(["a", "b"]).Map<object>(text), "a", "b");
        AssertSame(new SourceRdd<string>(["a b", "c"]).FlatMap(x => x.Split(' ')).Map<object>(x => x + "!"), "a!", "b!", "c!");
    }

    [Fact]
    public void Lambdas_of_generic_methods_and_private_nested_types_are_called_with_their_own_types()
    {
        AssertSame(Pairs(new SourceRdd<int>([1, 2]), "x"), (1, "x"), (2, "x"));
        AssertSame(Pairs(new SourceRdd<string>(["p"]), "y"), ("p", "y"));
        AssertSame(Pairs(new SourceRdd<object>(["p"]), 5), ("p", 5));
        AssertSame(new Holder<string>("z").Append(new SourceRdd<int>([1, 2])), "1z", "2z");
        AssertSame(new Holder<Number>(new Number(8)).Append(new SourceRdd<int>([1])), "18");

        static Rdd<(T, TOther)> Pairs<T, TOther>(Rdd<T> rdd, TOther other) => rdd.Map(x => (x, other)).Filter(p => p.Item1 is not null);
    }

    [Fact]
    public void One_kernel_serves_lambdas_that_captured_other_values()
    {
        List<int> results = [];
        for (var i = 0; i < 3; i++)
        {
            var offset = i * 100;
            results.AddRange(NarrowRun.Collect(new SourceRdd<int>([1, 2]).Map(x => x + offset), Mode.Fused));
        }
        Assert.Equal([1, 2, 101, 102, 201, 202], results);
    }

    [Fact]
    public void A_filter_that_answers_with_another_byte_than_one_keeps_its_element()
    {
        var truths = new byte[] { 0, 1, 2, 255, 0, 128 };
        var rdd = new SourceRdd<byte>(truths).Filter(x => System.Runtime.CompilerServices.Unsafe.BitCast<byte, bool>(x));
        AssertSame<byte>(rdd, 1, 2, 255, 128);
        using var task = NarrowRun.Task(Mode.Fused);
        using var reader = NarrowRun.Open(rdd, task);
        Assert.Equal(4, reader.CountElements(task));
    }

    [Fact]
    public void Code_that_may_be_unloaded_is_not_kept_by_a_kernel()
    {
        var weak = Run();
        for (var i = 0; i < 10 && weak.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.False(weak.IsAlive);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Run()
        {
            var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Unloadable"), AssemblyBuilderAccess.RunAndCollect);
            var type = assembly.DefineDynamicModule("Unloadable").DefineType("Code", TypeAttributes.Public);
            var method = type.DefineMethod("AddOne", MethodAttributes.Public | MethodAttributes.Static, typeof(int), [typeof(int)]);
            var il = method.GetILGenerator();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4_1);
            il.Emit(OpCodes.Add);
            il.Emit(OpCodes.Ret);
            var lambda = type.CreateType().GetMethod("AddOne")!.CreateDelegate<Func<int, int>>();
            AssertThroughDelegate(lambda, 6);
            return new WeakReference(lambda.Method.Module.Assembly);
        }
    }

    private static void AssertDirect(Func<int, int> lambda, int expected)
    {
        Assert.NotNull(LambdaCall.Of(lambda).Method);
        AssertSame(new SourceRdd<int>([5]).Map(lambda), expected);
    }

    private static void AssertThroughDelegate(Func<int, int> lambda, int expected)
    {
        Assert.Null(LambdaCall.Of(lambda).Method);
        AssertSame(new SourceRdd<int>([5]).Map(lambda), expected);
    }

    private static void AssertSame<T>(Rdd<T> rdd, params T[] expected)
    {
        Assert.Equal(expected, NarrowRun.Collect(rdd, Mode.Plain));
        Assert.Equal(expected, NarrowRun.Collect(rdd, Mode.Fused));
    }

    private interface IShape
    {
        int Default(int x) => x + 50;
    }

    private class Parent
    {
        public virtual int Virtual(int x) => x + 1;

        public virtual int Generic<T>(int x) => 0;
    }

    private sealed class Derived : Parent, IShape
    {
        public override int Virtual(int x) => x * 10;

        public Func<int, int> Base() => base.Virtual;

        public override int Generic<T>(int x) => x;
    }

    private readonly record struct Number(int Value)
    {
        public int Plus(int x) => x + Value;

        public override string ToString() => Value.ToString();
    }

    private sealed class Holder<T>(T value)
    {
        public Rdd<string> Append(Rdd<int> rdd) => rdd.Map(x => (x, value)).Filter(p => p.value is not null).Map(p => $"{p.x}{p.value}");
    }
}

internal static class ArrayPlus
{
    public static int PlusLength(this int[]? items, int x) => x + (items?.Length ?? 0);
}
