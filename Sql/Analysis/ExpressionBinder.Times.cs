using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

internal sealed partial class ExpressionBinder
{
    /// <summary>Arithmetic of dates, times and intervals; null if neither operand is one. The operators' functions know which go together.</summary>
    private Expression? Temporal(string name, Expression left, Expression right, ExpressionSyntax at)
    {
        if (!IsTemporal(left) && !IsTemporal(right)) return null;
        return Apply(name, [Beside(left, right, name), Beside(right, left, name)], at);
    }

    private Expression Extract(ExtractSyntax extract)
    {
        ValueList<Expression> arguments = [new Literal(extract.Unit.ToLowerInvariant(), DataType.String), Bind(extract.Source)];
        return context.TryCall(context.Scalar("date_part", extract.Position), arguments, extract.Position)
            ?? throw Error("INVALID_EXTRACT_FIELD", $"There is no '{extract.Unit}' to take out of {arguments[1].Type}.", extract);
    }

    private static bool IsMoment(Expression expression) => expression.Type.Kind is TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz;

    private static bool IsInterval(Expression expression) => expression.Type.Kind is TypeKind.YearMonthInterval or TypeKind.DayTimeInterval;

    private static bool IsTemporal(Expression expression) => IsMoment(expression) || IsInterval(expression);

    /// <summary>Text and bare NULLs become what they can be beside a time: in a difference the same, beside an interval a time stamp or a factor.</summary>
    private Expression Beside(Expression expression, Expression other, string name)
    {
        if (expression.Type.Kind is not (TypeKind.String or TypeKind.Null)) return expression;
        if (name is "*" or "/") return Convert(expression, DataType.Double);
        if (IsInterval(other)) return Convert(expression, expression.Type.Kind == TypeKind.Null ? other.Type : DataType.Timestamp);
        return name == "-" ? Convert(expression, other.Type) : expression.Type.Kind == TypeKind.Null ? Convert(expression, DataType.Int) : expression;
    }

    /// <summary>An interval that stands in the text, with the other sign.</summary>
    private Expression Negated(Expression interval, ExpressionSyntax at) => interval switch
    {
        Literal { Value: int months } when months != int.MinValue => new Literal(-months, interval.Type),
        Literal { Value: long micros } when micros != long.MinValue => new Literal(-micros, interval.Type),
        Literal { Value: null } => interval,
        _ => Apply("negative", [interval], at),
    };
}
