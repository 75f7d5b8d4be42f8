using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

public sealed class SharedExpressionsTests
{
    [Fact]
    public void A_part_of_two_expressions_is_computed_once_a_batch()
    {
        using var rig = new KernelRig();
        var a = rig.Column("a", DataType.BigInt, 1L, 2L, 3L);
        var counted = new CountingFunction();
        var part = new Call(counted, [a], DataType.BigInt);
        var (twice, more) = (Call("*", part, Value(2L, DataType.BigInt)), Call("+", part, a));
        var shared = new SharedExpressions([twice, more, part], new ValueList<ColumnReference>([a]), rig.Context);
        var evaluators = new[] { shared.Compile(twice), shared.Compile(more), shared.Compile(part) };
        for (var batches = 1; batches <= 3; batches++)
        {
            var batch = rig.Batch(true, batches != 2, true);
            Assert.Equal([2L, batches == 2 ? null : 4L, 6L], Read(evaluators[0].Evaluate(batch), 3, [true, batches != 2, true]));
            Assert.Equal([2L, batches == 2 ? null : 4L, 6L], Read(evaluators[1].Evaluate(batch), 3, [true, batches != 2, true]));
            Assert.Equal([1L, batches == 2 ? null : 2L, 3L], Read(evaluators[2].Evaluate(batch), 3, [true, batches != 2, true]));
            Assert.Equal(batches, counted.Times);
        }
    }

    [Fact]
    public void What_only_some_rows_reach_is_computed_for_them_alone()
    {
        using var rig = new KernelRig();
        var a = rig.Column("a", DataType.BigInt, 4L, 0L, 2L);
        var quotient = Call("div", Value(8L, DataType.BigInt), a);
        var guarded = new Case([Call("<>", a, Value(0L, DataType.BigInt)), quotient], Call("negative", Call("+", a, Value(1L, DataType.BigInt))));
        var other = Call("+", a, Value(1L, DataType.BigInt));
        var shared = new SharedExpressions([guarded, guarded, other], new ValueList<ColumnReference>([a]), rig.Context);
        var (first, second, third) = (shared.Compile(guarded), shared.Compile(guarded), shared.Compile(other));
        var batch = rig.Batch();
        Assert.Equal([5L, 1L, 3L], Read(third.Evaluate(batch), 3));
        Assert.Equal([2L, -1L, 4L], Read(first.Evaluate(batch), 3));
        Assert.Same(first.Evaluate(batch), second.Evaluate(batch));
        Assert.Equal([5L, 1L, 3L], Read(third.Evaluate(batch), 3));
        Assert.Throws<QueryException>(() => rig.Evaluate(quotient));
    }

    [Fact]
    public void A_look_at_fewer_rows_leaves_the_batch_as_it_was()
    {
        using var rig = new KernelRig();
        var a = rig.Column("a", DataType.BigInt, 4L, 0L, 2L);
        var batch = rig.Batch(true, true, false);
        var (version, selection) = (batch.Version, batch.Selection.ToArray());
        rig.Compile(new Case([Call("=", a, Value(0L, DataType.BigInt)), a], Value(7L, DataType.BigInt))).Evaluate(batch);
        Assert.Equal(version, batch.Version);
        Assert.Equal(selection, batch.Selection.ToArray());
        Assert.Equal(2, batch.Alive);
        batch.Set(3);
        Assert.NotEqual(version, batch.Version);
        Assert.Equal(3, batch.Selection.Length);
    }

    private sealed class CountingFunction() : ScalarFunction("counting")
    {
        public int Times { get; private set; }

        public override string Usage => "counting(value)";

        public override string Summary => "The value; how often it was asked is counted.";

        public override Signature? Resolve(ValueList<Expression> arguments) => new([DataType.BigInt], DataType.BigInt);

        public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new Counter(this, arguments[0]);

        private sealed class Counter(CountingFunction function, Evaluator argument) : Evaluator
        {
            public override ColumnVector Evaluate(ColumnBatch batch)
            {
                function.Times++;
                return argument.Evaluate(batch);
            }
        }
    }
}
