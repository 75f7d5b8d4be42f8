namespace Dataflow.Sql;

/// <summary>Which rows a join gives.</summary>
public enum JoinKind
{
    /// <summary>Pairs that match. Without a condition: all pairs.</summary>
    Inner,

    /// <summary>Pairs that match, and rows of the left without match, with nulls.</summary>
    Left,

    /// <summary>Pairs that match, and rows of the right without match, with nulls.</summary>
    Right,

    /// <summary>Pairs that match, and rows of both sides without match, with nulls.</summary>
    Full,

    /// <summary>Rows of the left that have a match, once.</summary>
    Semi,

    /// <summary>Rows of the left that have no match.</summary>
    Anti,

    /// <summary>Rows of the left that have no match, where a condition that is null counts as one: NOT IN.</summary>
    NullAwareAnti,

    /// <summary>Rows of the left with a column more: whether they have a match; null where that is open. IN and EXISTS below OR.</summary>
    Mark,

    /// <summary>As <see cref="Left"/>, where a second match is an error: scalar subqueries.</summary>
    Single,
}
