using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib.Features;

/// <summary>A function of columns that a step of a pipeline computes: travels with what it holds.</summary>
/// <param name="name">How plans and errors call it.</param>
/// <param name="result">What it gives.</param>
/// <param name="nullable">Whether it gives nulls.</param>
internal abstract class StepFunction(string name, DataType result, bool nullable = false) : ScalarFunction(name)
{
    public override string Usage => $"{Name}(column, ...)";

    public override string Summary => "A step of a pipeline.";

    public override bool MayFail => true;

    public override bool IsNullable(ValueList<Expression> arguments) => nullable;

    public override Signature? Resolve(ValueList<Expression> arguments) => new([.. arguments.Select(argument => argument.Type)], result);
}

/// <summary>A number of a number: what is null is given as NaN, and NaN that is given back becomes null where nulls may be.</summary>
internal abstract class NumberFunction(string name, bool nullable = false) : StepFunction(name, DataType.Double, nullable)
{
    private readonly bool _nullable = nullable;

    /// <summary>Computes one value.</summary>
    public abstract double Of(double value);

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new NumberEvaluator(this, _nullable, arguments[0], context);

    private sealed unsafe class NumberEvaluator(NumberFunction function, bool nullable, Evaluator argument, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.Double);

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            var column = argument.Evaluate(batch);
            var to = (double*)_result.Data;
            if (nullable) Bits.Zero(_result.Validity, batch.Rows);
            foreach (var row in batch.Selection)
            {
                var value = function.Of(column.IsNull(row) ? double.NaN : column.Value<double>(row));
                to[row] = value;
                if (nullable && !double.IsNaN(value)) Bits.Set(_result.Validity, row);
            }
            return _result.Set(batch.Rows, nullable);
        }
    }
}
