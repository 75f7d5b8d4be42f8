using Dataflow.MLlib.Features;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib.Evaluation;

/// <summary>The columns that evaluators read, checked value by value as they are read.</summary>
internal static class EvaluatedColumns
{
    /// <summary>A column of numbers: neither null, NaN nor infinite.</summary>
    /// <exception cref="QueryException">It is missing, or no number.</exception>
    public static Column Number(DataFrame frame, string name, string user) => Checked(frame, name, user, CheckedNumber.Rule.Finite);

    /// <summary>A column of labels that are 0 or 1.</summary>
    public static Column BinaryLabel(DataFrame frame, string name, string user) => Checked(frame, name, user, CheckedNumber.Rule.ZeroOrOne);

    /// <summary>A column of weights, finite and not negative; 1 if there is none.</summary>
    public static Column Weight(DataFrame frame, string? name, string user) => name is null ? Functions.Lit(1.0) : Checked(frame, name, user, CheckedNumber.Rule.Weight);

    /// <summary>The score of class 1: a number, or element 1 of a vector of two.</summary>
    public static Column BinaryScore(DataFrame frame, string name, string user) =>
        TypeOf(frame, name).Kind == TypeKind.Vector ? Functions.Call(new SecondElement(name, user), frame[name]) : Number(frame, name, user);

    /// <summary>A column of vectors.</summary>
    public static Column Vectors(DataFrame frame, string name, string user) => TypeOf(frame, name) is { Kind: not TypeKind.Vector } type
        ? throw new QueryException("DATATYPE_MISMATCH", $"Column '{name}' is {type}, and {user} needs a vector there.")
        : frame[name];

    /// <summary>The rows that count of a column of doubles, in order.</summary>
    public static void Read(ColumnBatch batch, int column, ref double[] to)
    {
        var vector = batch.Columns[column];
        if (to.Length < batch.Alive) to = new double[ColumnBatch.MaxRows];
        var at = 0;
        foreach (var row in batch.Selection) to[at++] = vector.Value<double>(row);
    }

    /// <summary>The error of a frame without rows.</summary>
    public static QueryException NoRows(string user) => new("EMPTY_INPUT", $"{user} was given a frame without rows (or all of weight 0), of which nothing can be said.");

    /// <summary>A metric, if it did not overflow.</summary>
    /// <exception cref="QueryException">It did.</exception>
    public static double Finite(double metric, string user, string columns) => double.IsFinite(metric) ? metric : throw new QueryException("ARITHMETIC_OVERFLOW",
        $"{user} sums squares of the numbers in {columns}, and they overflow: some are beyond about 1e149. Divide those columns first.");

    private static Column Checked(DataFrame frame, string name, string user, CheckedNumber.Rule rule)
    {
        var type = TypeOf(frame, name);
        if (!type.IsNumber && type.Kind != TypeKind.Boolean)
            throw new QueryException("DATATYPE_MISMATCH",
                $"Column '{name}' is {type}, and {user} needs numbers there. Cast it, or number it with {nameof(StringIndexer)}.");
        return Functions.Call(new CheckedNumber(name, user, rule), frame[name].Cast(DataType.Double));
    }

    private static DataType TypeOf(DataFrame frame, string name)
    {
        _ = frame[name];
        return frame.Schema[frame.Schema.IndexOf(name)].Type;
    }

    private sealed class SecondElement(string column, string user) : StepFunction("positive_score", DataType.Double)
    {
        public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new SecondEvaluator(column, user, arguments[0], context);
    }

    private sealed unsafe class SecondEvaluator(string name, string user, Evaluator argument, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.Double);

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            var column = argument.Evaluate(batch);
            foreach (var row in batch.Selection)
            {
                if (column.IsNull(row)) throw CheckedNumber.Refused(name, user, double.NaN, CheckedNumber.Rule.Finite);
                var vector = new VectorView(StringView.BytesOf((StringView*)column.ValueAt(row)));
                if (vector.Size != 2)
                    throw new QueryException("VECTOR_SIZE_MISMATCH",
                        $"Column '{name}' holds a vector of {vector.Size} elements, and {user} needs two: of class 0 and of class 1. "
                        + $"For more classes there is {nameof(MulticlassClassificationEvaluator)}.");
                var value = vector[1];
                if (!double.IsFinite(value)) throw CheckedNumber.Refused(name, user, value, CheckedNumber.Rule.Finite);
                ((double*)_result.Data)[row] = value;
            }
            return _result.Set(batch.Rows, false);
        }
    }
}

/// <summary>Lets numbers pass that fit, and says which one does not.</summary>
internal sealed class CheckedNumber(string column, string user, CheckedNumber.Rule rule) : NumberFunction("checked_number")
{
    /// <summary>What fits.</summary>
    public enum Rule
    {
        Finite,
        ZeroOrOne,
        Weight,
    }

    public override double Of(double value)
    {
        var fits = rule switch
        {
            Rule.ZeroOrOne => value is 0 or 1,
            Rule.Weight => value >= 0 && !double.IsInfinity(value),
            _ => double.IsFinite(value),
        };
        return fits ? value : throw Refused(column, user, value, rule);
    }

    public static QueryException Refused(string column, string user, double value, Rule rule)
    {
        var needs = rule switch { Rule.ZeroOrOne => "labels that are 0 or 1", Rule.Weight => "weights of 0 or more", _ => "numbers" };
        return new QueryException("INVALID_VALUE",
            $"Column '{column}' holds {(double.IsNaN(value) ? "null or NaN" : double.IsInfinity(value) ? "an infinite number" : value)}, and {user} needs {needs} there. Mend or filter such rows first.");
    }
}
