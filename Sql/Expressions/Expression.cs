namespace Dataflow.Sql.Expressions;

/// <summary>
/// A bound expression: names are resolved, types are known and fit, casts are written out. Immutable; equal expressions are equal by value, wherever
/// in the text they stood.
/// </summary>
public abstract record Expression
{
    /// <summary>The type of its values.</summary>
    public abstract DataType Type { get; }

    /// <summary>Whether it may be null.</summary>
    public abstract bool Nullable { get; }

    /// <summary>What it is made of.</summary>
    public abstract ValueList<Expression> Children { get; }

    /// <summary>Where it stood in the text, for errors at run time. Takes no part in equality.</summary>
    public TextPosition Position { get; init; }

    /// <summary>The same with other children, as many and of the same types.</summary>
    public abstract Expression WithChildren(ValueList<Expression> children);

    /// <summary>Whether equal inputs always give equal values; not <c>rand()</c>.</summary>
    public virtual bool IsDeterministic => Children.All(child => child.IsDeterministic);

    /// <summary>Whether computing it may fail for some values: such an expression is not moved to where it sees more rows.</summary>
    public virtual bool MayFail => Children.Any(child => child.MayFail);

    /// <summary>The expression with each of its parts, from the bottom up, replaced by what a function makes of it.</summary>
    public Expression Rewrite(Func<Expression, Expression> rewrite)
    {
        var children = Children;
        Expression[]? changed = null;
        for (var i = 0; i < children.Count; i++)
        {
            var child = children[i].Rewrite(rewrite);
            if (ReferenceEquals(child, children[i])) continue;
            changed ??= [.. children];
            changed[i] = child;
        }
        return rewrite(changed is null ? this : WithChildren([.. changed]));
    }

    /// <summary>Itself and all its parts, from the top down.</summary>
    public IEnumerable<Expression> Parts()
    {
        var open = new Stack<Expression>();
        open.Push(this);
        while (open.TryPop(out var part))
        {
            yield return part;
            var children = part.Children;
            for (var i = children.Count - 1; i >= 0; i--) open.Push(children[i]);
        }
    }

    /// <summary>The columns it reads.</summary>
    public IEnumerable<ColumnReference> References() => Parts().OfType<ColumnReference>();
}

/// <summary>Where in a SQL text something stood. All positions are equal, so that equal expressions are.</summary>
/// <param name="start">First character, from 0; -1 if it did not come from a text.</param>
public readonly struct TextPosition(int start) : IEquatable<TextPosition>
{
    private readonly int _next = start + 1;

    /// <summary>First character, from 0; -1 if it did not come from a text.</summary>
    public int Start => _next - 1;

    /// <inheritdoc/>
    public bool Equals(TextPosition other) => true;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TextPosition;

    /// <inheritdoc/>
    public override int GetHashCode() => 0;
}
