using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>Finds rows with nulls, and leaves them out.</summary>
internal static unsafe class NotNull
{
    /// <summary>Whether some row of a flat vector is null.</summary>
    public static bool HasNulls(ColumnVector vector, int rows)
    {
        if (vector.Validity == null) return false;
        for (var word = 0; word << 6 < rows; word++)
        {
            var count = Math.Min(64, rows - (word << 6));
            var all = count == 64 ? ulong.MaxValue : (1UL << count) - 1;
            if ((vector.Validity[word] & all) != all) return true;
        }
        return false;
    }

    /// <summary>The rows for which no key is null.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="rows">Rows to look at.</param>
    /// <param name="space">Where the result goes, if some are left out.</param>
    public static ReadOnlySpan<ushort> Rows(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, ushort[] space)
    {
        foreach (var key in keys)
        {
            if (key.HasNoNulls) continue;
            var count = 0;
            for (var i = 0; i < rows.Length; i++)
            {
                // In place from the second key on: what is written lies before what is read.
                if (!key.IsNull(rows[i])) space[count++] = rows[i];
            }
            rows = space.AsSpan(0, count);
        }
        return rows;
    }
}
