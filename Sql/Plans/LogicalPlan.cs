using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>
/// A relation to compute: what, not how. Immutable. Columns are known by id, so that plans may be moved about without renaming. Libraries may add
/// kinds of their own; rules that do not know a kind leave it where it is, and optimise below and above it.
/// </summary>
public abstract record LogicalPlan
{
    /// <summary>The columns it gives.</summary>
    public abstract ValueList<ColumnReference> Output { get; }

    /// <summary>What it reads.</summary>
    public abstract ValueList<LogicalPlan> Inputs { get; }

    /// <summary>The same over other inputs, as many, which give at least the columns it reads.</summary>
    public abstract LogicalPlan WithInputs(ValueList<LogicalPlan> inputs);

    /// <summary>The expressions it computes, itself only.</summary>
    public abstract IEnumerable<Expression> Expressions { get; }

    /// <summary>The same with each of its expressions replaced by what a function makes of it; types must stay.</summary>
    public abstract LogicalPlan MapExpressions(Func<Expression, Expression> map);

    /// <summary>The same with each of the columns that it makes itself replaced by what a function gives for it: a copy of a plan whose columns are others.
    /// What it reads is left. Kinds that pass on their inputs' columns need not override it.</summary>
    public virtual LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => this;

    /// <summary>Whether it passes on the columns of its one input as they are, and reads only those that its expressions name: others need not be made where nobody above wants them.</summary>
    public virtual bool PassesColumns => false;

    /// <summary>How it shows in a plan, without its inputs.</summary>
    public abstract string Describe();

    /// <summary>Columns that it reads of its inputs.</summary>
    public IEnumerable<ColumnReference> References => Expressions.SelectMany(expression => expression.References());

    /// <summary>The plan with each of its parts, from the bottom up, replaced by what a function makes of it. Subqueries are not entered.</summary>
    public LogicalPlan Rewrite(Func<LogicalPlan, LogicalPlan> rewrite)
    {
        var inputs = Inputs;
        LogicalPlan[]? changed = null;
        for (var i = 0; i < inputs.Count; i++)
        {
            var input = inputs[i].Rewrite(rewrite);
            if (ReferenceEquals(input, inputs[i])) continue;
            changed ??= [.. inputs];
            changed[i] = input;
        }
        return rewrite(changed is null ? this : WithInputs([.. changed]));
    }

    /// <summary>Itself and all below, from the top down.</summary>
    public IEnumerable<LogicalPlan> Parts()
    {
        yield return this;
        foreach (var input in Inputs)
        {
            foreach (var part in input.Parts()) yield return part;
        }
    }

    /// <summary>Whether it reads a stream, which has no last row.</summary>
    internal bool IsEndless => ReadsStream(this, new HashSet<CommonDefinition>(ReferenceEqualityComparer.Instance));

    private static bool ReadsStream(LogicalPlan plan, HashSet<CommonDefinition> seen) => plan.Parts().Any(part =>
        part is Scan { Table.IsEndless: true } || (part is CommonTable common && seen.Add(common.Definition) && ReadsStream(common.Definition.Plan, seen)));

    /// <summary>The whole tree, a line each.</summary>
    public sealed override string ToString() => PlanPrinter.Print(this);
}

/// <summary>An expression and the column that holds it.</summary>
/// <param name="Value">What is computed; a <see cref="ColumnReference"/> passes a column on.</param>
/// <param name="Column">The column; the same as <paramref name="Value"/> where it is passed on.</param>
public sealed record NamedExpression(Expression Value, ColumnReference Column)
{
    /// <summary>A column passed on as it is.</summary>
    public static NamedExpression Pass(ColumnReference column) => new(column, column);

    /// <summary>An expression under a new name.</summary>
    public static NamedExpression New(Expression value, string name) => new(value, new ColumnReference(name, value.Type, value.Nullable));

    /// <summary>The same value in another column.</summary>
    internal NamedExpression MapColumn(Func<ColumnReference, ColumnReference> map) => this with { Column = map(Column) };

    /// <summary>As SQL.</summary>
    public override string ToString() => Value is ColumnReference passed && passed == Column ? Column.ToString() : $"{Value} AS {Column}";
}
