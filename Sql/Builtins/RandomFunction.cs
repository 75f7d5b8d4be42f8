using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Tasks;

namespace Dataflow.Sql.Builtins;

/// <summary><c>rand</c>: a number for each row, the same again when a partition is computed again.</summary>
internal sealed class RandomFunction() : ScalarFunction("rand")
{
    public override ValueList<string> Aliases => ["random"];

    public override string Usage => "rand([seed])";

    public override string Summary => "A random number from 0 to 1 for each row.";

    public override bool IsDeterministic => false;

    public override bool IsNullable(ValueList<Expression> arguments) => false;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count == 0) return new Signature([], DataType.Double);
        return arguments.Count == 1 && arguments[0] is Literal { Value: int or long or null } ? new Signature([DataType.BigInt], DataType.Double) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        // Without a seed, queries differ by when they began.
        var given = call.Arguments.Count == 0 ? null : call.Arguments[0] is Cast cast ? cast.Operand : call.Arguments[0];
        var seed = given is null ? context.Session.NowMicroseconds
            : given is Literal { Value: not null } literal ? Convert.ToInt64(literal.Value, System.Globalization.CultureInfo.InvariantCulture) : 0;
        var mixed = SparkHash.Xx(seed, Exchange.OperatorPartition.Seed);
        return new Drawing(new Random((int)mixed ^ (int)(mixed >> 32)), context);
    }

    private sealed unsafe class Drawing(Random random, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.Double);

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            var to = (double*)_result.Data;
            for (var i = 0; i < batch.Rows; i++) to[i] = random.NextDouble();
            return _result.Set(batch.Rows, false);
        }
    }
}
