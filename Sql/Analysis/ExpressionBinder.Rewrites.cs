using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

internal sealed partial class ExpressionBinder
{
    /// <summary>Functions that are other expressions by another name, unless a session has functions of these names; null for those that are not.</summary>
    private ExpressionSyntax? Rewritten(CallSyntax call)
    {
        if (call.Within.Count > 0) return WithinGroup(call);
        if (call is { Name: "decode", Arguments: [_, _, _, ..] }) return Decoded(call.Arguments);
        if (context.Functions.FindScalar(call.Name) is not null || context.Functions.FindAggregate(call.Name) is not null) return null;
        return (call.Name, call.Arguments) switch
        {
            ("nullifzero", [var value]) => Function("nullif", value, Whole(0)),
            ("zeroifnull", [var value]) => Function("coalesce", value, Whole(0)),
            ("equal_null", [var a, var b]) => new OperatorSyntax("<=>", [a, b]),
            ("nanvl", [var value, var other]) => Function("if", Function("isnan", value), other, value),
            ("try_add", [var a, var b]) => Tried("+", a, b),
            ("try_subtract", [var a, var b]) => Tried("-", a, b),
            ("try_multiply", [var a, var b]) => Tried("*", a, b),
            ("try_divide", [var a, var b]) => new OperatorSyntax("/", [a, Function("nullif", b, Whole(0))]),
            ("try_mod", [var a, var b]) => new OperatorSyntax("%", [a, Function("nullif", b, Whole(0))]),
            ("try_to_date", [var text]) => new CastSyntax(text, DataType.Date, IsTry: true),
            ("try_to_timestamp", [var text]) => new CastSyntax(text, DataType.Timestamp, IsTry: true),
            ("try_sum", [var value]) => TriedSum(call, value),
            ("try_avg", [_]) => call with { Name = "avg" },
            ("regr_count", [var y, var x]) => call with { Name = "count_if", Arguments = [new OperatorSyntax("and", [IsThere(y), IsThere(x)])] },
            ("approx_percentile" or "percentile_approx", [var value, var share, ..]) =>
                new CastSyntax(call with { Name = "percentile_disc", Arguments = [value, share] }, Bind(value).Type is { IsNumber: true } type ? type : DataType.Double, IsTry: false),
            ("elt", [var place, ..]) when call.Arguments.Count > 1 => new CaseSyntax(
                place, [.. call.Arguments.Skip(1).SelectMany((value, i) => new[] { Whole(i + 1), new CastSyntax(value, DataType.String, IsTry: false) })], null),
            ("current_catalog", []) => Text("spark_catalog"),
            ("current_database" or "current_schema", []) => Text("default"),
            ("current_user" or "user" or "session_user", []) => Text(Environment.UserName),
            ("version", []) => Text(typeof(DataFrame).Assembly.GetName().Version?.ToString(3) ?? ""),
            _ => null,
        };

        static LiteralSyntax Text(string value) => new(new Literal(value, DataType.String));
    }

    private static CallSyntax Function(string name, params ValueList<ExpressionSyntax> arguments) => new(name, arguments);

    private static ExpressionSyntax Whole(int value) => new LiteralSyntax(new Literal(value, DataType.Int));

    private static OperatorSyntax IsThere(ExpressionSyntax value) => new("isnotnull", [value]);

    // Integers are computed as decimals, which have room for every result; what then is no value of the type is null.
    private ExpressionSyntax Tried(string sign, ExpressionSyntax a, ExpressionSyntax b)
    {
        var (left, right) = (Bind(a).Type, Bind(b).Type);
        if (!left.IsInteger || !right.IsInteger) return new OperatorSyntax(sign, [a, b]);
        var wide = DataType.Decimal(19, 0);
        var exact = new OperatorSyntax(sign, [new CastSyntax(a, wide, IsTry: false), new CastSyntax(b, wide, IsTry: false)]);
        return new CastSyntax(exact, TypeRules.Common(left, right)!, IsTry: true);
    }

    private ExpressionSyntax TriedSum(CallSyntax call, ExpressionSyntax value)
    {
        _isInAggregate = true;
        var isWhole = Bind(value).Type.IsInteger;
        _isInAggregate = false;
        if (!isWhole) return call with { Name = "sum" };
        return new CastSyntax(call with { Name = "sum", Arguments = [new CastSyntax(value, DataType.Decimal(19, 0), IsTry: false)] }, DataType.BigInt, IsTry: true);
    }

    // decode(x, a, first, b, second, other): nulls are equal here.
    private static CaseSyntax Decoded(ValueList<ExpressionSyntax> arguments)
    {
        List<ExpressionSyntax> branches = [];
        var i = 1;
        for (; i + 1 < arguments.Count; i += 2)
        {
            branches.Add(new OperatorSyntax("<=>", [arguments[0], arguments[i]]));
            branches.Add(arguments[i + 1]);
        }
        return new CaseSyntax(null, [.. branches], i < arguments.Count ? arguments[i] : null);
    }

    private CallSyntax WithinGroup(CallSyntax call)
    {
        if (call.Within is not [var order])
            throw Error("INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", $"WITHIN GROUP of '{call.Name}' orders by one expression, not {call.Within.Count}.", call);
        ExpressionSyntax isDescending = new LiteralSyntax(order.IsDescending ? Literal.True : Literal.False);
        return (call.Name, call.Arguments) switch
        {
            ("percentile_cont" or "percentile_disc", [var share]) => call with { Name = call.Name, Arguments = [order.Key, share, isDescending], Within = [] },
            ("mode", []) => call with { Arguments = [order.Key], Within = [] },
            _ => throw Error("INVALID_WITHIN_GROUP_EXPRESSION.FUNCTION_NOT_SUPPORTED", $"WITHIN GROUP does not go with '{call.Name}' and such arguments.", call),
        };
    }
}
