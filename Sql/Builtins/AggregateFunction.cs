using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Builtins;

/// <summary>A function of the rows of a group. One object a function; it travels to executors by name.</summary>
/// <param name="name">Its name, lower case.</param>
public abstract class AggregateFunction(string name)
{
    /// <summary>Its name, lower case.</summary>
    public string Name { get; } = name;

    /// <summary>Other names of it.</summary>
    public virtual ValueList<string> Aliases => [];

    /// <summary>How it is called, for errors and documentation.</summary>
    public abstract string Usage { get; }

    /// <summary>What it gives, in one sentence.</summary>
    public abstract string Summary { get; }

    /// <summary>Whether its value may be null; not for <c>count</c>.</summary>
    public virtual bool IsNullable => true;

    /// <summary>Whether equal arguments counted twice change nothing: min, max, any_value. DISTINCT means nothing to them.</summary>
    public virtual bool IgnoresDuplicates => false;

    /// <summary>Whether its kernel takes decimals of more than 18 digits as <see cref="Kernels.Evaluator.EvaluateNarrow"/> gives them: in 64 bits where
    /// they fit. Who feeds it then asks for arguments that way.</summary>
    public virtual bool TakesNarrowDecimals => false;

    /// <summary>Which types it takes for such arguments, and which type it gives then; null if they do not fit.</summary>
    public abstract Signature? Resolve(ValueList<Expression> arguments);

    /// <summary>The columns that hold what is known of a group before all its rows are: what partial aggregates exchange.</summary>
    /// <param name="call">The call.</param>
    public abstract ValueList<DataType> StateTypes(AggregateCall call);

    /// <summary>Makes what computes a call, once a task.</summary>
    public abstract AggregateKernel Compile(AggregateCall call);

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>A function that only windows have.</summary>
/// <param name="name">Its name, lower case.</param>
public abstract class WindowFunction(string name)
{
    /// <summary>Its name, lower case.</summary>
    public string Name { get; } = name;

    /// <summary>How it is called, for errors and documentation.</summary>
    public abstract string Usage { get; }

    /// <summary>What it gives, in one sentence.</summary>
    public abstract string Summary { get; }

    /// <summary>Whether its value may be null; not for <c>row_number</c>.</summary>
    public virtual bool IsNullable => true;

    /// <summary>Which types it takes for such arguments, and which type it gives then; null if they do not fit.</summary>
    public abstract Signature? Resolve(ValueList<Expression> arguments);

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
