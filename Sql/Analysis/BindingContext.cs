using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

/// <summary>What one statement is bound with.</summary>
/// <param name="Catalog">Views and files.</param>
/// <param name="Functions">Functions.</param>
/// <param name="Session">Time zone and the like.</param>
internal sealed record BindingContext(Catalog Catalog, FunctionRegistry Functions, SessionSettings Session)
{
    /// <summary>The text, for errors; null if there is none.</summary>
    public string? Text { get; init; }

    /// <summary>Values of parameters.</summary>
    public Parameters Parameters { get; init; } = Parameters.None;

    /// <summary>Finds the column that a column of a frame has become; null where columns are as they were.</summary>
    public Func<FrameColumnSyntax, ColumnId>? FrameColumns { get; init; }

    /// <summary>A place in the text; none if there is no text, since the place is then in some other one.</summary>
    public TextPosition At(int position) => new(Text is null ? -1 : position);

    /// <summary>An error at a place of the text.</summary>
    public QueryException Error(string errorClass, string message, int position) => new(errorClass, message, Text, position);

    /// <summary>A scalar function that the language itself needs.</summary>
    public ScalarFunction Scalar(string name, int position) => Functions.FindScalar(name)
        ?? throw Error("UNRESOLVED_ROUTINE", $"There is no function '{name}', which this needs.", position);

    /// <summary>Calls a scalar function; null if the arguments do not fit. Arguments are cast to what it asks for.</summary>
    public Expression? TryCall(ScalarFunction function, ValueList<Expression> arguments, int position)
    {
        if (function.Resolve(arguments) is not { } signature) return null;
        return new Call(function, Convert(arguments, signature.Arguments), signature.Result) { Position = At(position) };
    }

    /// <summary>Arguments as a function asked for them.</summary>
    public ValueList<Expression> Convert(ValueList<Expression> arguments, ValueList<DataType> types)
    {
        if (arguments.Count != types.Count)
            throw new InvalidOperationException($"A function gave {types.Count} types for {arguments.Count} arguments. This is a bug; please report it.");
        return [.. arguments.Select((argument, i) => LiteralConversion.Cast(argument, types[i], Session))];
    }
}
