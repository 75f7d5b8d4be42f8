using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Tasks;

namespace Dataflow.Sql.Builtins;

/// <summary>Whether a row is drawn: what <c>Sample</c> filters by. No name of SQL.</summary>
internal sealed class SampleFunction() : ScalarFunction("sample")
{
    public static SampleFunction Instance { get; } = new();

    public override string Usage => "sample(fraction, seed[, from])";

    public override string Summary => "True for about a fraction of the rows: those that draw a number up to it, and not below where it begins.";

    public override bool IsDeterministic => false;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        new(arguments.Count == 3 ? [DataType.Double, DataType.BigInt, DataType.Double] : [DataType.Double, DataType.BigInt], DataType.Boolean);

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        new Sampler(
            (double)((Literal)call.Arguments[0]).Value!, (long)((Literal)call.Arguments[1]).Value!, call.Arguments is [_, _, Literal { Value: double from }] ? from : 0, context);

    private sealed unsafe class Sampler(double fraction, long seed, double from, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.Boolean);

        // A partition that is computed again draws the same rows.
        private readonly Random _random = new(HashCode(seed, Exchange.OperatorPartition.Seed));

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            var words = (ulong*)_result.Data;
            for (var row = 0; row < batch.Rows; row++)
            {
                if (_random.NextDouble() is var drawn && drawn >= from && drawn < fraction) Bits.Set(words, row);
                else Bits.Clear(words, row);
            }
            return _result.Set(batch.Rows, false);
        }

        private static int HashCode(long seed, int partition)
        {
            var mixed = ((ulong)seed + ((ulong)(uint)partition * 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9;
            return (int)(mixed >> 33);
        }
    }
}
