using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

internal sealed partial class ExpressionBinder
{
    private Expression Call(CallSyntax call)
    {
        if (Rewritten(call) is { } other) return Bind(other with { Position = call.Position });
        if (call.Over is not null) return Windowed(call, call.Over);
        if (call.Name is "grouping" or "grouping_id") return Grouping(call);
        if (context.Functions.FindScalar(call.Name) is { } function)
        {
            if (call.IsDistinct || call.Filter is not null)
            {
                throw Error(
                    "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                    $"'{call.Name}' is no aggregate: DISTINCT and FILTER do not go with it.",
                    call);
            }
            return function is WindowTimeFunction ? WindowTime(call) : TimeWindows.IsWindow(function) ? TimeWindow(call) : Scalar(call.Name, Arguments(call), call);
        }
        if (context.Functions.FindAggregate(call.Name) is { } aggregate) return Aggregated(aggregate, call);
        if (Conditional(call) is { } conditional) return conditional;
        if (context.Functions.FindWindow(call.Name) is not null)
        {
            throw Error("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", $"'{call.Name}' needs a window: {call.Name}(...) OVER (ORDER BY ...).", call);
        }
        if (call.IsTimeWindow)
        {
            throw Error("UNSUPPORTED_EXPR_FOR_OPERATOR",
                $"'{call.Name}' gives a window, which is two columns: select or group by it by itself, and name {call.Name}.start or {call.Name}.end elsewhere; or use {call.OfWindow(isEnd: false).Name} and {call.OfWindow(isEnd: true).Name}.", call);
        }
        throw UnknownFunction(call);
    }

    private QueryException UnknownFunction(CallSyntax call) =>
        Error("UNRESOLVED_ROUTINE", $"There is no function '{call.Name}'.{Suggest.Hint(call.Name, context.Functions.Names.Where(name => char.IsLetter(name[0])))}", call);

    private ValueList<Expression> Arguments(CallSyntax call)
    {
        List<Expression> arguments = [];
        foreach (var argument in call.Arguments)
        {
            if (argument is StarSyntax star) arguments.AddRange(Star.Expand(star, scope, context).Select(column => column.Column));
            else arguments.Add(Bind(argument));
        }
        return [.. arguments];
    }

    private Expression Scalar(string name, ValueList<Expression> arguments, ExpressionSyntax at)
    {
        var function = context.Scalar(name, at.Position);
        return context.TryCall(function, arguments, at.Position) ?? throw WrongArguments(function.Name, function.Usage, arguments, at);
    }

    private Expression Function(FunctionSyntax call)
    {
        var arguments = call.Arguments.ConvertAll(Bind);
        return context.TryCall(call.Function, arguments, call.Position) ?? throw WrongArguments(call.Function.Name, call.Function.Usage, arguments, call);
    }

    private QueryException WrongArguments(string name, string usage, ValueList<Expression> arguments, ExpressionSyntax at)
    {
        var (least, most) = UsageText.Arguments(usage);
        if (arguments.Count < least || arguments.Count > most)
        {
            var count = arguments.Count == 1 ? "1 argument" : $"{arguments.Count} arguments";
            return Error("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", $"'{name}' does not take {count}. It is called as {usage}.", at);
        }
        var types = string.Join(", ", arguments.Select(argument => argument.Type.SqlName));
        return Error("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", $"'{name}' does not take ({types}). It is called as {usage}.", at);
    }

    /// <summary>Functions that are CASE by another name, unless the registry has them.</summary>
    private Expression? Conditional(CallSyntax call)
    {
        switch (call.Name, call.Arguments.Count)
        {
            case ("if" or "iff", 3):
                return Case([BindCondition(call.Arguments[0])], [Bind(call.Arguments[1]), Bind(call.Arguments[2])], call);
            case ("nvl2", 3):
                return Case([Apply("isnotnull", [Bind(call.Arguments[0])], call)], [Bind(call.Arguments[1]), Bind(call.Arguments[2])], call);
            case ("nullif", 2):
                var value = Bind(call.Arguments[0]);
                return Case([Compare("=", value, Bind(call.Arguments[1]), call)], [Literal.NullOf(DataType.Null), value], call);
            default:
                return null;
        }
    }

    private AggregateCall Aggregated(AggregateFunction function, CallSyntax call)
    {
        if (!AllowsAggregates)
        {
            throw Error(
                Clause switch
                {
                    "WHERE" => "INVALID_WHERE_CONDITION",
                    "GROUP BY" => "GROUP_BY_AGGREGATE",
                    "VALUES" => "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE",
                    _ => "UNSUPPORTED_EXPR_FOR_OPERATOR",
                },
                $"Aggregates such as '{call.Name}' can't stand in {Clause}.{(Clause == "WHERE" ? " Use HAVING." : "")}",
                call);
        }
        if (_isInAggregate) throw Error("NESTED_AGGREGATE_FUNCTION", $"'{call.Name}' stands inside another aggregate. Compute the inner one in a query in FROM.", call);
        _isInAggregate = true;
        var aggregate = AggregateOf(function, call);
        _isInAggregate = false;
        // An alias may have brought one in.
        if (aggregate.Children.SelectMany(child => child.Parts()).Any(part => part is AggregateCall or WindowExpression))
        {
            throw Error(
                "NESTED_AGGREGATE_FUNCTION",
                $"'{call.Name}' is given a name of the select list that is computed from groups. Compute it in a query in FROM.",
                call);
        }
        return aggregate;
    }

    private AggregateCall AggregateOf(AggregateFunction function, CallSyntax call)
    {
        var isCount = function.Name == "count";
        ValueList<Expression> arguments = isCount && call.Arguments is [StarSyntax { Qualifier.Count: 0 }] && !call.IsDistinct ? [] : Arguments(call);
        // count(1) counts rows.
        if (isCount && !call.IsDistinct && arguments is [Literal { Value: not null }]) arguments = [];
        if (isCount && arguments.Count == 0 && call.Arguments.Count == 0) throw WrongArguments(function.Name, function.Usage, arguments, call);
        if (call.IgnoresNulls) arguments = arguments.Add(Literal.True);
        if (function.Resolve(arguments) is not { } signature) throw WrongArguments(function.Name, function.Usage, arguments, call);
        var filter = call.Filter is null ? null : BindCondition(call.Filter);
        var isDistinct = call.IsDistinct && !function.IgnoresDuplicates;
        return new AggregateCall(function, context.Convert(arguments, signature.Arguments), signature.Result, isDistinct, filter) { Position = At(call) };
    }

    private GroupingCall Grouping(CallSyntax call)
    {
        if (!AllowsAggregates) throw Error("UNSUPPORTED_GROUPING_EXPRESSION", $"'{call.Name}' can't stand in {Clause}.", call);
        var columns = call.Arguments.ConvertAll(Bind);
        if (call.Name == "grouping" && columns.Count != 1) throw Error("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "'grouping' is called as grouping(column).", call);
        return new GroupingCall(columns, call.Name == "grouping_id") { Position = At(call) };
    }
}
