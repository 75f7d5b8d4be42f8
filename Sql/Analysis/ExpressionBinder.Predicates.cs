using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

internal sealed partial class ExpressionBinder
{
    private Expression Between(BetweenSyntax between)
    {
        var operand = Bind(between.Operand);
        var low = Compare(">=", operand, Bind(between.Low), between);
        var high = Compare("<=", operand, Bind(between.High), between);
        return Apply("and", [low, high], between);
    }

    private Expression Like(LikeSyntax like)
    {
        var operand = AsText(Bind(like.Operand));
        Expression? all = null;
        foreach (var pattern in like.Patterns)
        {
            var text = AsText(Bind(pattern));
            ValueList<Expression> arguments = like.Escape is null ? [operand, text] : [operand, text, new Literal(like.Escape, DataType.String)];
            var one = Scalar(like.Name, arguments, like);
            all = all is null ? one : Apply(like.NeedsAll ? "and" : "or", [all, one], like);
        }
        return all!;

        Expression AsText(Expression expression) => expression.Type.Kind == TypeKind.String ? expression : Convert(expression, DataType.String);
    }

    private Expression In(InSyntax among)
    {
        if (among.Operand is RowSyntax row) return RowIn(row, among);
        var operand = Bind(among.Operand);
        List<Expression> values = [];
        foreach (var value in among.Values)
        {
            if (value is ParameterSyntax parameter && context.Parameters.TryFind(parameter.Name, parameter.Index, out var given)
                && Parameters.Elements(given) is { } elements)
            {
                foreach (var element in elements)
                {
                    values.Add(Parameters.ToLiteral(element)
                        ?? throw Error("UNSUPPORTED_DATATYPE", $"There is no SQL type for a {element?.GetType()} in a list.", parameter));
                }
                continue;
            }
            values.Add(Bind(value));
        }
        var type = operand.Type;
        foreach (var value in values)
        {
            if (value is Literal literal && _coercion.Beside(literal, operand.Type) is not null) continue;
            type = TypeRules.Common(type, value.Type) is { } common && TypeCoercion.IsOrdered(common) ? common : throw Mismatch("in", operand, value, among);
        }
        if (type.Kind == TypeKind.Null) type = DataType.Int;
        operand = Convert(operand, type);
        var alike = values.ConvertAll(value => Convert(value, type));
        // As Spark: of nothing nothing is one, also not NULL.
        if (alike.Count == 0) return Literal.False;
        if (alike.TrueForAll(value => value is Literal)) return new InList(operand, [.. alike.Cast<Literal>()]) { Position = At(among) };
        var any = alike.ConvertAll(value => Apply("=", [operand, value], among)).ToArray();
        return Balanced(any, new OperatorSyntax("or", []) { Position = among.Position });
    }

    /// <summary>(a, b) IN ((1, 2), (3, 4)): a chain of comparisons.</summary>
    private Expression RowIn(RowSyntax row, InSyntax among)
    {
        var operands = row.Values.ConvertAll(Bind);
        List<Expression> any = [];
        foreach (var value in among.Values)
        {
            if (value is not RowSyntax other || other.Values.Count != row.Values.Count)
            {
                throw Error("DATATYPE_MISMATCH.DATA_DIFF_TYPES", $"Before IN stand {row.Values.Count} values; each entry of the list must have as many.", value);
            }
            var equal = operands.Select((operand, i) => Compare("=", operand, Bind(other.Values[i]), value)).ToArray();
            any.Add(Balanced(equal, new OperatorSyntax("and", []) { Position = among.Position }));
        }
        return Balanced([.. any], new OperatorSyntax("or", []) { Position = among.Position });
    }

    private InSubquery InQuery(InQuerySyntax among)
    {
        ValueList<ExpressionSyntax> syntaxes = among.Operand is RowSyntax row ? row.Values : [among.Operand];
        var operands = syntaxes.ConvertAll(Bind);
        var plan = Subquery(among.Query);
        if (plan.Output.Count != operands.Count)
        {
            throw Error(
                "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", $"Before IN stand {operands.Count} values, but the query has {plan.Output.Count} columns.", among);
        }
        var alike = new Expression[operands.Count];
        var items = new NamedExpression[operands.Count];
        var isSame = true;
        for (var i = 0; i < alike.Length; i++)
        {
            var column = plan.Output[i];
            if (TypeRules.Common(operands[i].Type, column.Type) is not { } type)
            {
                throw Error(
                    "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH",
                    $"'{SyntaxText.NameOf(syntaxes[i])}' is {operands[i].Type}, but the query's '{column.Name}' is {column.Type}.",
                    among);
            }
            alike[i] = Convert(operands[i], type);
            isSame &= column.Type == type;
            items[i] = column.Type == type ? NamedExpression.Pass(column) : NamedExpression.New(Convert(column, type), column.Name);
        }
        return new InSubquery([.. alike], isSame ? plan : new Project([.. items], plan)) { Position = At(among) };
    }
}
