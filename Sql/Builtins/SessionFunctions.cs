using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>
/// Sessions: rows whose times lie less than a gap apart. Where they begin and end is known only once rows were grouped: <see cref="Analysis.TimeWindows"/> puts
/// columns of a <see cref="Plans.SessionAggregate"/> in the place of the calls. In plans they stand for the session of a single row.
/// </summary>
internal sealed class SessionFunction(string name, bool isEnd) : ScalarFunction(name)
{
    /// <summary>When the session of a single row ends.</summary>
    public static readonly SessionFunction End = new("session_end", isEnd: true);

    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new SessionFunction("session_start", isEnd: false));
        registry.Add(End);
    }

    /// <summary>Whether it is the end that it gives.</summary>
    public bool IsEnd => isEnd;

    public override string Usage => $"{Name}(time, gap)";

    public override string Summary =>
        $"When the session {(isEnd ? "ends" : "begins")} that a row is in, to group by: rows of a session have equal other keys, and times less than the gap apart. "
        + $"{(isEnd ? "It ends a gap behind its last row." : "It begins with its first row.")}";

    public override bool MayFail => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2 || TimestampUnits.TimeOf(arguments[0]) is not { } type) return null;
        return arguments[1].Type.Kind is TypeKind.DayTimeInterval ? new Signature([type, DataType.DayTimeInterval], type) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        return new RowEvaluator(Session, call.Type, arguments, context, call.Position.Start);

        void Session(RowEvaluator row) => row.Return(TimeWindowFunction.InRange(row.Long(0) + (isEnd ? (Int128)row.Long(1) : 0), row));
    }
}

/// <summary>The time of the first row of a session, over rows in the order of their times: one that comes a gap or more behind the one before begins another.</summary>
internal sealed class SessionStartFunction() : WindowFunction("first_of_session")
{
    public static readonly SessionStartFunction Instance = new();

    public override string Usage => "first_of_session(time, gap)";

    public override string Summary => "The time of the first row of the session.";

    public override bool IsNullable => false;

    public override Signature? Resolve(ValueList<Expression> arguments) => new(arguments.ConvertAll(argument => argument.Type), arguments[0].Type);
}
