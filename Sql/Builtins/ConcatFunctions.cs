using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>concat</c>, also as <c>||</c>: of text, or of bytes if all are bytes.</summary>
internal sealed class ConcatFunction() : ScalarFunction("concat")
{
    public override ValueList<string> Aliases => ["||"];

    public override string Usage => "concat(text[, text ...]), text || text";

    public override string Summary => "The texts one behind the other; null if one is.";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count == 0) return new Signature([], DataType.String);
        var type = arguments.All(argument => argument.Type.Kind == TypeKind.Binary) ? DataType.Binary : DataType.String;
        return arguments.All(argument => ImplicitCasts.Allows(argument.Type, type)) ? new Signature(arguments.ConvertAll(_ => type), type) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new RowEvaluator(static row =>
    {
        var length = 0L;
        for (var i = 0; i < row.Count; i++) length += row.Text(i).Length;
        var room = row.Room(length);
        for (var i = 0; i < row.Count; i++)
        {
            row.Text(i).CopyTo(room);
            room = room[row.Text(i).Length..];
        }
        row.ReturnWritten((int)length);
    }, call.Type, arguments, context, call.Position.Start);
}

/// <summary><c>concat_ws</c>.</summary>
internal sealed class ConcatWithSeparatorFunction() : ScalarFunction("concat_ws")
{
    public override string Usage => "concat_ws(separator[, text ...])";

    public override string Summary => "The texts that are not null with a separator between them.";

    public override bool IsNullable(ValueList<Expression> arguments) => arguments[0].Nullable;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count > 0 && arguments.All(argument => ImplicitCasts.Allows(argument.Type, DataType.String))
            ? new Signature(arguments.ConvertAll(_ => DataType.String), DataType.String)
            : null;

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new ConcatWithSeparatorEvaluator(arguments, context);
}
