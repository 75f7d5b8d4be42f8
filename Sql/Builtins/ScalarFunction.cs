using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>
/// A function of the values of one row: its names, types, null rule, kernel and documentation in one place. Operators are functions whose names are
/// their signs.
/// </summary>
/// <remarks>One object a function, in a <see cref="FunctionRegistry"/>; it travels to executors by name.</remarks>
/// <param name="name">Its name, lower case.</param>
public abstract class ScalarFunction(string name)
{
    /// <summary>Its name, lower case.</summary>
    public string Name { get; } = name;

    /// <summary>Other names of it.</summary>
    public virtual ValueList<string> Aliases => [];

    /// <summary>How it is called, for errors and documentation: <c>substring(text, start[, length])</c>.</summary>
    public abstract string Usage { get; }

    /// <summary>What it gives, in one sentence.</summary>
    public abstract string Summary { get; }

    /// <summary>Whether equal arguments always give an equal value.</summary>
    public virtual bool IsDeterministic => true;

    /// <summary>Whether it fails for some values.</summary>
    public virtual bool MayFail => false;

    /// <summary>Whether its value may be null for such arguments. By default: if one of them may.</summary>
    public virtual bool IsNullable(ValueList<Expression> arguments) => arguments.Any(argument => argument.Nullable);

    /// <summary>Which types it takes for such arguments, and which type it gives then.</summary>
    /// <param name="arguments">The arguments as written. A bare NULL has <see cref="DataType.Null"/>.</param>
    /// <returns>Null if they do not fit: the caller says what was given and shows <see cref="Usage"/>.</returns>
    public abstract Signature? Resolve(ValueList<Expression> arguments);

    /// <summary>Makes what computes a call, once a task.</summary>
    /// <param name="call">The call; its arguments have the types that <see cref="Resolve"/> asked for.</param>
    /// <param name="arguments">What computes the arguments.</param>
    /// <param name="context">Memory and settings.</param>
    public abstract Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context);

    /// <summary>A call as SQL.</summary>
    public virtual string Print(ValueList<Expression> arguments) => $"{Name}({arguments})";

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>Which types a function takes, and which it gives.</summary>
/// <param name="Arguments">A type for each argument; arguments of others are cast.</param>
/// <param name="Result">The type of the value.</param>
public sealed record Signature(ValueList<DataType> Arguments, DataType Result);
