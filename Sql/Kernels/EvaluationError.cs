using System.Globalization;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Kernels;

/// <summary>Errors of values, with the class that Spark gives them, the values and what to do.</summary>
internal static class EvaluationError
{
    public static QueryException Overflow(string operation, DataType type, EvaluatorContext context, int position) => new(
        type.Kind is TypeKind.TinyInt or TypeKind.SmallInt ? "BINARY_ARITHMETIC_OVERFLOW" : "ARITHMETIC_OVERFLOW",
        $"{operation} is out of the range of {type}. Cast an operand to a wider type first, or use try_cast for a null instead.",
        context.Text, position);

    public static QueryException OutOfRange(string value, DataType type, EvaluatorContext context, int position) => new(
        "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", $"{value} can't be represented as {type}. Cast to a decimal with more digits.", context.Text, position);

    public static QueryException DivideByZero(string operation, EvaluatorContext context, int position) => new(
        "DIVIDE_BY_ZERO", $"Division by zero: {operation}. Divide by nullif(divisor, 0) for a null instead.", context.Text, position);

    public static QueryException RemainderByZero(string operation, EvaluatorContext context, int position) => new(
        "REMAINDER_BY_ZERO", $"Remainder of a division by zero: {operation}. Divide by nullif(divisor, 0), or use try_mod, for a null instead.", context.Text, position);

    public static QueryException BadCast(string value, DataType from, DataType to, EvaluatorContext context, int position) => new(
        "CAST_INVALID_INPUT", $"The value {value} of type {from} can't be cast to {to}. Correct it, or use try_cast for a null instead.", context.Text, position);

    public static QueryException CastOverflow(string value, DataType from, DataType to, EvaluatorContext context, int position) => new(
        "CAST_OVERFLOW", $"The value {value} of type {from} is out of the range of {to}. Use try_cast for a null instead.", context.Text, position);

    public static QueryException BadArgument(string message, EvaluatorContext context, int position) => new(
        "INVALID_PARAMETER_VALUE", message, context.Text, position);

    /// <summary>A number as people write it.</summary>
    public static string Text(Int128 unscaled, DataType type) => type is DecimalType { Scale: var scale }
        ? LiteralText.Decimal(unscaled, scale)
        : unscaled.ToString(CultureInfo.InvariantCulture);
}
