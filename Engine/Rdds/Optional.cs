namespace Dataflow;

/// <summary>A value that may be missing: the side of an outer join without a match.</summary>
/// <typeparam name="T">Type of the value.</typeparam>
/// <param name="HasValue">Whether there is one.</param>
/// <param name="Value">The value; the type's default if there is none.</param>
public readonly record struct Optional<T>(bool HasValue, T Value)
{
    /// <summary>No value.</summary>
    public static Optional<T> None => default;

    /// <summary>The value, or another if there is none.</summary>
    /// <param name="other">Given when there is none.</param>
    public T Or(T other) => HasValue ? Value : other;

    /// <summary>The value as text, or <c>none</c>.</summary>
    public override string ToString() => HasValue ? Value?.ToString() ?? "null" : "none";
}
