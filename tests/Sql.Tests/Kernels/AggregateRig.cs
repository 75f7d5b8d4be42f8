using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

/// <summary>Runs an aggregate every way there is: by group, group by group with masks, and in two parts that are merged; all must agree.</summary>
internal static unsafe class AggregateRig
{
    public static AggregateCall CallOf(string name, params Expression[] arguments)
    {
        var function = BuiltinFunctions.Registry.FindAggregate(name) ?? throw new ArgumentException($"There is no aggregate {name}.");
        var signature = function.Resolve(new ValueList<Expression>(arguments))
            ?? throw new ArgumentException($"{function.Usage} does not take {string.Join(", ", arguments.Select(each => each.Type))}.");
        return new AggregateCall(function, new ValueList<Expression>(arguments.Select((each, i) => CastTo(each, signature.Arguments[i]))), signature.Result);
    }

    /// <summary>The value of each group, checked against the other ways to compute it.</summary>
    /// <param name="rig">The columns.</param>
    /// <param name="call">The call.</param>
    /// <param name="groupOf">The group of each row; -1 for rows that do not count.</param>
    /// <param name="groups">How many groups.</param>
    public static object?[] Run(KernelRig rig, AggregateCall call, int[] groupOf, int groups) => Run(rig, call, groupOf, groups, true);

    /// <summary>The same, for functions that mind the order of parts.</summary>
    public static object?[] RunByRows(KernelRig rig, AggregateCall call, int[] groupOf, int groups) => Run(rig, call, groupOf, groups, false);

    private static object?[] Run(KernelRig rig, AggregateCall call, int[] groupOf, int groups, bool inParts)
    {
        var evaluators = call.Arguments.Select(rig.Compile).ToArray();
        var arguments = evaluators.Select(each => call.Function.TakesNarrowDecimals ? each.EvaluateNarrow(rig.Batch()) : each.Evaluate(rig.Batch())).ToArray();

        var byRows = call.Function.Compile(call);
        byRows.Grow(groups);
        Feed(byRows, arguments, groupOf, _ => true);
        var expected = Results(rig, byRows, call, groups);

        var byMasks = call.Function.Compile(call);
        byMasks.Grow(groups);
        for (var group = 0; group < groups; group++)
        {
            var mask = (ulong*)rig.Arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
            new Span<ulong>(mask, ColumnBatch.MaxRows / 64).Clear();
            for (var i = 0; i < groupOf.Length; i++)
            {
                if (groupOf[i] == group) mask[i >> 6] |= 1UL << (i & 63);
            }
            byMasks.UpdateOne(arguments, groupOf.Length, mask, group);
        }
        Same(expected, Results(rig, byMasks, call, groups), "group by group");

        if (!inParts) return expected;
        var first = call.Function.Compile(call);
        var second = call.Function.Compile(call);
        first.Grow(groups);
        second.Grow(groups);
        Feed(first, arguments, groupOf, row => row % 3 == 0);
        Feed(second, arguments, groupOf, row => row % 3 != 0);
        var merged = call.Function.Compile(call);
        merged.Grow(groups);
        foreach (var part in new[] { first, second })
        {
            var heap = new TextHeap(rig.Arena);
            heap.Clear();
            var states = call.Function.StateTypes(call).Select(type => new FlatVector(rig.Arena, type)).ToArray();
            part.WriteStates(0, groups, states, heap);
            var rows = Enumerable.Range(0, groups).Select(i => (ushort)i).ToArray();
            merged.Merge([.. states.Select(each => each.Vector)], rows, [.. Enumerable.Range(0, groups)]);
        }
        Same(expected, Results(rig, merged, call, groups), "merged from two parts");
        return expected;
    }

    private static void Feed(AggregateKernel kernel, ColumnVector[] arguments, int[] groupOf, Func<int, bool> takes)
    {
        var rows = Enumerable.Range(0, groupOf.Length).Where(row => groupOf[row] >= 0 && takes(row)).ToArray();
        kernel.Update(arguments, [.. rows.Select(row => (ushort)row)], [.. rows.Select(row => groupOf[row])]);
    }

    private static object?[] Results(KernelRig rig, AggregateKernel kernel, AggregateCall call, int groups)
    {
        var heap = new TextHeap(rig.Arena);
        heap.Clear();
        var result = new FlatVector(rig.Arena, call.Type);
        kernel.WriteResults(0, groups, result, heap);
        return Read(result.Vector, groups);
    }

    private static void Same(object?[] expected, object?[] actual, string way)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i] is double a && actual[i] is double b && Math.Abs(a - b) <= 1e-9 * Math.Max(1, Math.Abs(a))) continue;
            Assert.True(Equals(expected[i], actual[i]), $"Group {i}, {way}: {actual[i] ?? "null"} instead of {expected[i] ?? "null"}.");
        }
    }
}
