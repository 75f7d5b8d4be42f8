/// <summary>
/// What is known of a run of records. Two runs that follow each other make one: so tasks can summarise a part each, and the parts, put
/// together in their order, tell whether the whole is sorted, borders included.
/// </summary>
internal readonly record struct Summary(long Count, ulong Checksum, Key First, Key Last, bool IsSorted)
{
    /// <summary>No record at all.</summary>
    public static Summary Empty => new(0, 0, default, default, IsSorted: true);

    /// <summary>With one more record at the end.</summary>
    public Summary Add(Record record) => Then(new Summary(1, record.Checksum, record.Key, record.Key, IsSorted: true));

    /// <summary>With another run behind this one.</summary>
    public Summary Then(Summary next) => Count == 0 ? next : next.Count == 0 ? this : new(
        Count + next.Count,
        Checksum + next.Checksum,
        First,
        next.Last,
        IsSorted && next.IsSorted && Last.CompareTo(next.First) <= 0);
}
