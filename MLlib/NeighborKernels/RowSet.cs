namespace Dataflow.MLlib.NeighborKernels;

/// <summary>The rows that are searched: features row by row, ids in ascending order. Immutable.</summary>
internal sealed unsafe class RowSet
{
    private readonly AlignedFloats _values;
    private double[]? _norms;

    /// <summary>Takes rows that are in order of their ids.</summary>
    private RowSet(AlignedFloats values, long[] ids, int features)
    {
        _values = values;
        Ids = ids;
        Features = features;
    }

    public long[] Ids { get; }

    public int Count => Ids.Length;

    public int Features { get; }

    public float* Pointer => _values.Pointer;

    public ReadOnlySpan<float> Values => _values.Span;

    /// <summary>Squared length of each row.</summary>
    public double[] Norms
    {
        get
        {
            if (_norms is { } known) return known;
            var norms = new double[Count];
            for (var i = 0; i < norms.Length; i++)
            {
                var row = Pointer + ((long)i * Features);
                norms[i] = ExactDistances.Dot(row, row, Features);
            }
            return _norms = norms;
        }
    }

    public ReadOnlySpan<float> Row(int position) => _values.Span.Slice(position * Features, Features);

    /// <summary>Copies rows, ordered by id.</summary>
    /// <param name="values">rows x features.</param>
    /// <param name="ids">One a row; empty numbers them.</param>
    /// <exception cref="ArgumentException">An id is there twice, lengths do not fit, or a value is not finite.</exception>
    public static RowSet Of(ReadOnlySpan<float> values, int features, ReadOnlySpan<long> ids)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(features, 1);
        if (values.Length % features != 0)
        {
            throw new ArgumentException($"{values.Length:N0} values are no whole number of rows of {features:N0} features.", nameof(values));
        }
        var count = values.Length / features;
        if (ids.Length != 0 && ids.Length != count) throw new ArgumentException($"There are {count:N0} rows and {ids.Length:N0} ids.", nameof(ids));
        CheckFinite(values, features, "row");

        var ordered = new long[count];
        var copy = new AlignedFloats(values.Length);
        if (ids.Length == 0)
        {
            for (var i = 0; i < count; i++) ordered[i] = i;
            values.CopyTo(copy.Span);
            return new RowSet(copy, ordered, features);
        }

        ids.CopyTo(ordered);
        var order = new int[count];
        for (var i = 0; i < count; i++) order[i] = i;
        Array.Sort(ordered, order);
        for (var i = 0; i < count; i++)
        {
            if (i > 0 && ordered[i] == ordered[i - 1])
            {
                throw new ArgumentException($"Id {ordered[i]} is there twice: neighbours could not be told apart.", nameof(ids));
            }
            values.Slice(order[i] * features, features).CopyTo(copy.Span[(i * features)..]);
        }
        return new RowSet(copy, ordered, features);
    }

    /// <summary>The rows in another order, with their ids: for loops over some of them that lie together, not for searches.</summary>
    public RowSet Rearranged(int[] order)
    {
        var values = new AlignedFloats(_values.Length);
        var ids = new long[order.Length];
        for (var i = 0; i < order.Length; i++)
        {
            ids[i] = Ids[order[i]];
            Row(order[i]).CopyTo(values.Span[(i * Features)..]);
        }
        return new RowSet(values, ids, Features);
    }

    /// <summary>These rows and others.</summary>
    public RowSet With(ReadOnlySpan<float> values, ReadOnlySpan<long> ids)
    {
        CheckFinite(values, Features, "added row");
        if ((long)_values.Length + values.Length > Array.MaxLength)
            throw new ArgumentException($"{Count:N0} rows and {ids.Length:N0} more, of {Features:N0} features, do not fit one process. Use several models, or NearestNeighborsJoin.");
        var all = new float[_values.Length + values.Length];
        Values.CopyTo(all);
        values.CopyTo(all.AsSpan(_values.Length));
        return Of(all, Features, (long[])[.. Ids, .. ids]);
    }

    /// <summary>These rows without those of some ids. Ids that are not there are passed over.</summary>
    public RowSet Without(ReadOnlySpan<long> ids)
    {
        var gone = new HashSet<long>(ids.Length);
        foreach (var id in ids) gone.Add(id);
        var kept = new List<int>(Count);
        for (var i = 0; i < Count; i++)
        {
            if (!gone.Contains(Ids[i])) kept.Add(i);
        }
        var values = new AlignedFloats((long)kept.Count * Features);
        var keptIds = new long[kept.Count];
        for (var i = 0; i < keptIds.Length; i++)
        {
            keptIds[i] = Ids[kept[i]];
            Row(kept[i]).CopyTo(values.Span[(i * Features)..]);
        }
        return new RowSet(values, keptIds, Features);
    }

    /// <exception cref="ArgumentException">A value is NaN or infinite: it has no distance from anything.</exception>
    public static void CheckFinite(ReadOnlySpan<float> values, int features, string what)
    {
        var bad = IndexOfNotFinite(values);
        if (bad < 0) return;
        throw new ArgumentException($"Feature {bad % features} of {what} {bad / features} is {values[bad]}: distances need finite numbers. "
            + "Fill what is missing first, as Imputer does, or leave such rows out.");
    }

    public static int IndexOfNotFinite(ReadOnlySpan<float> values)
    {
        // An exponent of ones, and nothing else, marks NaN and the infinities; a run of values has one if the largest exponent of it is that.
        for (var start = 0; start < values.Length; start += 1024)
        {
            var run = values.Slice(start, Math.Min(1024, values.Length - start));
            var any = false;
            foreach (var value in run) any |= (BitConverter.SingleToUInt32Bits(value) & 0x7F800000) == 0x7F800000;
            if (!any) continue;
            for (var i = 0; i < run.Length; i++)
            {
                if (!float.IsFinite(run[i])) return start + i;
            }
        }
        return -1;
    }
}
