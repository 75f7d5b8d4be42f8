using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

internal sealed partial class ExpressionBinder
{
    private WindowExpression Windowed(CallSyntax call, WindowSyntax over)
    {
        if (!AllowsWindows)
        {
            throw Error(
                "UNSUPPORTED_EXPR_FOR_WINDOW",
                $"Window functions such as '{call.Name}' can't stand in {Clause}. Compute it in a query in FROM, or use QUALIFY.",
                call);
        }
        if (_isInAggregate || _isInWindow)
        {
            throw Error(
                "NESTED_WINDOW_FUNCTION",
                $"The window function '{call.Name}' stands inside another function over rows. Compute the inner one in a query in FROM.",
                call);
        }
        var window = Named(over);
        _isInWindow = true;
        var function = WindowFunctionOf(call);
        var partitions = window.Partitions.ConvertAll(Bind);
        var orders = window.Orders.ConvertAll(Order);
        _isInWindow = false;
        foreach (var key in partitions.Concat(orders.Select(order => order.Key)))
        {
            if (!TypeCoercion.IsOrdered(key.Type)) throw Error("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", $"Values of {key.Type} can't be ordered.", call);
        }
        return new WindowExpression(function, partitions, orders, Frame(window, orders, call)) { Position = At(call) };
    }

    /// <summary>Binds how rows sort.</summary>
    public SortOrder Order(OrderSyntax order) => new(Bind(order.Key), order.IsDescending, order.NullsFirst ?? !order.IsDescending);

    private Expression WindowFunctionOf(CallSyntax call)
    {
        if (context.Functions.FindWindow(call.Name) is { } function)
        {
            if (call.IsDistinct || call.Filter is not null)
            {
                throw Error(
                    "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                    $"'{call.Name}' takes neither DISTINCT nor FILTER.",
                    call);
            }
            var arguments = Arguments(call);
            if (call.IgnoresNulls) arguments = arguments.Add(Literal.True);
            if (function.Resolve(arguments) is not { } signature) throw WrongArguments(function.Name, function.Usage, arguments, call);
            return new WindowCall(function, context.Convert(arguments, signature.Arguments), signature.Result) { Position = At(call) };
        }
        if (context.Functions.FindAggregate(call.Name) is { } aggregate)
        {
            if (call.IsDistinct) throw Error("DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", $"DISTINCT can't stand in a window: {call.Name}(DISTINCT ...) OVER.", call);
            return AggregateOf(aggregate, call);
        }
        if (context.Functions.FindScalar(call.Name) is not null)
        {
            throw Error(
                "UNSUPPORTED_EXPR_FOR_WINDOW",
                $"'{call.Name}' is a function of one row: OVER does not go with it.",
                call);
        }
        throw UnknownFunction(call);
    }

    /// <summary>A window with what it takes from the WINDOW clause.</summary>
    public WindowSyntax Named(WindowSyntax window, int depth = 0)
    {
        if (window.Name is null) return window;
        foreach (var (name, definition) in Windows)
        {
            if (!string.Equals(name, window.Name, StringComparison.OrdinalIgnoreCase)) continue;
            if (depth > Windows.Count) throw context.Error("CYCLIC_WINDOW_REFERENCE", $"The window '{name}' is made of itself.", window.Position);
            var named = Named(definition, depth + 1);
            return named with
            {
                Name = null,
                Partitions = window.Partitions.Count > 0 ? window.Partitions : named.Partitions,
                Orders = window.Orders.Count > 0 ? window.Orders : named.Orders,
                Frame = window.Frame ?? named.Frame,
            };
        }
        throw context.Error(
            "MISSING_WINDOW_SPECIFICATION",
            $"There is no window '{window.Name}' in the WINDOW clause.{Suggest.Hint(window.Name, Windows.Select(each => each.Key))}",
            window.Position);
    }

    private WindowFrame Frame(WindowSyntax window, ValueList<SortOrder> orders, CallSyntax call)
    {
        if (window.Frame is not { } frame) return orders.Count == 0 ? WindowFrame.All : new WindowFrame(true, null, new Literal(0, DataType.Int));
        if (frame.Start is { Offset: null, IsFollowing: true, IsCurrentRow: false } || frame.End is { Offset: null, IsFollowing: false, IsCurrentRow: false })
        {
            throw Error("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND", "A frame begins with its PRECEDING end, and ends with its FOLLOWING one.", call);
        }
        if (frame.IsRange && (frame.Start.Offset ?? frame.End.Offset) is not null && orders.Count != 1)
        {
            throw Error("DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER", $"A RANGE with an offset needs one ORDER BY expression in its window, not {orders.Count}.", call);
        }
        var start = End(frame.Start, frame.IsRange, orders, call);
        var end = End(frame.End, frame.IsRange, orders, call);
        if (start is not null && end is not null && start.Type == end.Type && ValueOf(start) > ValueOf(end))
        {
            throw Error("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "The frame ends before it begins.", call);
        }
        return new WindowFrame(frame.IsRange, start, end);
    }

    private static double ValueOf(Literal literal) => literal.Value is Int128 exact
        ? (double)exact
        : System.Convert.ToDouble(literal.Value, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>An end of a frame: null for unbounded; rows as an int; a range in the type that is added to the order's.</summary>
    private Literal? End(FrameEndSyntax end, bool isRange, ValueList<SortOrder> orders, CallSyntax call)
    {
        if (end.IsCurrentRow) return new Literal(0, DataType.Int);
        if (end.Offset is null) return null;
        var type = DataType.Int;
        if (isRange && orders[0].Key.Type.IsNumber) type = orders[0].Key.Type;
        var bound = Optimizer.FoldConstants.Folded(Bind(end.Offset));
        var isInterval = bound.Type.Kind is TypeKind.YearMonthInterval or TypeKind.DayTimeInterval;
        if (isRange && isInterval && IsMoment(orders[0].Key)) type = bound.Type;
        if (isRange && !orders[0].Key.Type.IsNumber && !IsMoment(orders[0].Key))
        {
            throw Error(
                "DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE",
                $"A RANGE with an offset needs an order by numbers, dates or times, not {orders[0].Key.Type}.",
                call);
        }
        if (bound is not Literal { Value: not null } literal || LiteralConversion.TryConvert(literal, type, context.Session) is not { } offset)
        {
            throw Error(
                "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE",
                $"A frame's offset here is a constant {type}, not '{SyntaxText.NameOf(end.Offset)}'.",
                call);
        }
        return end.IsFollowing ? offset : Minus(offset);
    }

    private static Literal Minus(Literal literal) => new(
        literal.Value switch
        {
            sbyte value => (sbyte)-value,
            short value => (short)-value,
            int value => -value,
            long value => -value,
            float value => -value,
            double value => -value,
            Int128 value => -value,
            var value => value,
        },
        literal.Type);
}
