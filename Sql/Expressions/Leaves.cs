namespace Dataflow.Sql.Expressions;

/// <summary>Names a column of a plan for as long as the plan is worked on: two columns of the same name differ by it.</summary>
/// <param name="Value">The number.</param>
public readonly record struct ColumnId(int Value)
{
    private static int _last;

    /// <summary>A number that no other column of this process has.</summary>
    public static ColumnId New() => new(Interlocked.Increment(ref _last));

    /// <summary>As <c>#12</c>.</summary>
    public override string ToString() => $"#{Value}";
}

/// <summary>A column of a plan. Equal to another with the same id.</summary>
public sealed record ColumnReference : Expression
{
    /// <summary>A reference.</summary>
    /// <param name="id">Which column.</param>
    /// <param name="name">How people call it.</param>
    /// <param name="type">Its type.</param>
    /// <param name="nullable">Whether it may be null.</param>
    public ColumnReference(ColumnId id, string name, DataType type, bool nullable)
    {
        Id = id;
        Name = name;
        Type = type;
        Nullable = nullable;
    }

    /// <summary>A new column.</summary>
    public ColumnReference(string name, DataType type, bool nullable) : this(ColumnId.New(), name, type, nullable) { }

    /// <summary>Which column.</summary>
    public ColumnId Id { get; }

    /// <summary>How people call it.</summary>
    public string Name { get; init; }

    /// <summary>The table or alias it came from, for errors and plans.</summary>
    public string? Qualifier { get; init; }

    /// <inheritdoc/>
    public override DataType Type { get; }

    /// <inheritdoc/>
    public override bool Nullable { get; }

    /// <inheritdoc/>
    public override ValueList<Expression> Children => [];

    /// <summary>The same column where an outer join may have made it null.</summary>
    public ColumnReference AsNullable() => Nullable ? this : new ColumnReference(Id, Name, Type, true) { Qualifier = Qualifier, Position = Position };

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this;

    /// <inheritdoc/>
    public bool Equals(ColumnReference? other) => other is not null && other.Id == Id;

    /// <inheritdoc/>
    public override int GetHashCode() => Id.Value;

    /// <summary>As <c>name#12</c>.</summary>
    public override string ToString() => Name + Id;
}

/// <summary>A value that stands in the text.</summary>
/// <remarks>
/// Values are <see cref="bool"/>; <see cref="sbyte"/>, <see cref="short"/>, <see cref="int"/>, <see cref="long"/>; <see cref="float"/>, <see cref="double"/>;
/// <see cref="Int128"/> (decimals, unscaled, of any precision); <see cref="string"/>; byte[] (binary); int (dates: days; months); long (timestamps and
/// intervals: microseconds); or null.
/// </remarks>
public sealed record Literal : Expression
{
    /// <summary>A literal.</summary>
    public Literal(object? value, DataType type)
    {
        Value = value;
        Type = type;
    }

    /// <summary>true.</summary>
    public static Literal True { get; } = new(true, DataType.Boolean);

    /// <summary>false.</summary>
    public static Literal False { get; } = new(false, DataType.Boolean);

    /// <summary>The value, as the remarks say.</summary>
    public object? Value { get; }

    /// <inheritdoc/>
    public override DataType Type { get; }

    /// <inheritdoc/>
    public override bool Nullable => Value is null;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => [];

    /// <summary>NULL of a type.</summary>
    public static Literal NullOf(DataType type) => new(null, type);

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this;

    /// <inheritdoc/>
    public bool Equals(Literal? other) =>
        other is not null && Type == other.Type && (Value is byte[] mine && other.Value is byte[] theirs ? mine.AsSpan().SequenceEqual(theirs) : Equals(Value, other.Value));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Value is byte[] bytes ? bytes.Length : Value?.GetHashCode() ?? 0);

    /// <summary>As SQL.</summary>
    public override string ToString() => LiteralText.Of(this);
}
