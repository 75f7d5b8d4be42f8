using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.Linalg;

/// <summary>The two products that linear models are made of: rows by a vector of coefficients, and factors by rows. Same bits on every machine
/// (<see cref="Lanes"/>).</summary>
/// <remarks>Coefficients and sums have room for whole lanes (<see cref="Lanes.Padded"/>); coefficients are 0 there, and sums hold anything.</remarks>
internal static unsafe class RowProducts
{
    /// <summary>Rows of a block that are worked on at a time, so that they are still in the first-level cache for the second product.</summary>
    public static int TileRows(int width) => Math.Clamp((24 << 10) / 8 / Math.Max(1, width), 8, 256) & -Lanes.Count;

    /// <summary>The product of some rows and the coefficients: <paramref name="products"/>[i] = row (first + i) * coefficients.</summary>
    public static void Multiply(FeatureBlock block, int first, int count, double* coefficients, double* products)
    {
        if (block.Sparse is { } sparse)
        {
            for (var i = 0; i < count; i++) products[i] = Multiply(sparse, first + i, coefficients);
            return;
        }
        fixed (double* values = block.Values)
        {
            var width = block.Width;
            var whole = WholeRows(block, first, count);
            var rows = values + ((nint)first * width);
            MultiplyDense(rows, width, whole, coefficients, products);
            if (whole == count) return;
            var row = stackalloc double[MostCopied];
            for (var i = whole; i < count; i++)
            {
                if (Lanes.Padded(width) <= MostCopied)
                {
                    Copy(rows + ((nint)i * width), width, row);
                    MultiplyDense(row, width, 1, coefficients, products + i);
                    continue;
                }
                fixed (double* large = new double[Lanes.Padded(width)])
                {
                    Copy(rows + ((nint)i * width), width, large);
                    MultiplyDense(large, width, 1, coefficients, products + i);
                }
            }
        }
    }

    /// <summary>The product of one row and coefficients: the same bits as <see cref="Multiply(FeatureBlock, int, int, double*, double*)"/> gives for dense
    /// rows.</summary>
    public static double Multiply(ReadOnlySpan<double> row, ReadOnlySpan<double> coefficients)
    {
        var sum = Vector512<double>.Zero;
        var i = 0;
        for (; i + 8 <= row.Length; i += 8) sum += Vector512.LoadUnsafe(in row[i]) * Vector512.LoadUnsafe(in coefficients[i]);
        if (i < row.Length)
        {
            Span<double> rest = stackalloc double[16];
            rest.Clear();
            row[i..].CopyTo(rest);
            coefficients[i..row.Length].CopyTo(rest[8..]);
            sum += Vector512.LoadUnsafe(in rest[0]) * Vector512.LoadUnsafe(in rest[8]);
        }
        return Lanes.Sum(sum);
    }

    /// <summary>The product of a sparse row and coefficients: each feature in the lane it has in a dense row, so the same bits as with its zeros.</summary>
    public static double Multiply(SparseRows rows, int row, double* coefficients)
    {
        var lanes = stackalloc double[Lanes.Count];
        for (var lane = 0; lane < Lanes.Count; lane++) lanes[lane] = 0;
        for (var at = rows.Starts[row]; at < rows.Starts[row + 1]; at++)
        {
            var index = rows.Indices[at];
            lanes[index & (Lanes.Count - 1)] += rows.Values[at] * coefficients[index];
        }
        return Lanes.Sum(Vector512.Load(lanes));
    }

    /// <summary>Adds factor times row to the sums, row after row.</summary>
    public static void AddRows(FeatureBlock block, int first, int count, double* factors, double* sums)
    {
        if (block.Sparse is { } sparse)
        {
            for (var i = 0; i < count; i++)
            {
                var factor = factors[i];
                for (var at = sparse.Starts[first + i]; at < sparse.Starts[first + i + 1]; at++) sums[sparse.Indices[at]] += factor * sparse.Values[at];
            }
            return;
        }
        fixed (double* values = block.Values)
        {
            var width = block.Width;
            var whole = WholeRows(block, first, count);
            var rows = values + ((nint)first * width);
            AddDense(rows, width, whole, factors, sums);
            for (var i = whole; i < count; i++)
            {
                for (var j = 0; j < width; j++) sums[j] += factors[i] * rows[((nint)i * width) + j];
            }
        }
    }

    // Rows that fit are copied to the stack when whole lanes can't be read in place.
    private const int MostCopied = 512;

    private static void Copy(double* row, int width, double* to)
    {
        new Span<double>(row, width).CopyTo(new Span<double>(to, width));
        new Span<double>(to + width, Lanes.Padded(width) - width).Clear();
    }

    // The last lanes of a row reach into the next row (their coefficients are 0): the last rows of the block have none behind them.
    private static int WholeRows(FeatureBlock block, int first, int count)
    {
        var width = block.Width;
        if (width % Lanes.Count == 0) return count;
        var readable = (block.Values.Length - Lanes.Padded(width)) / width;
        return Math.Clamp(block.Values.Length < Lanes.Padded(width) ? 0 : readable + 1 - first, 0, count);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyDense(double* rows, int width, int count, double* coefficients, double* products)
    {
        var i = 0;
        for (; i + 4 <= count; i += 4, rows += 4 * (nint)width)
        {
            double* r1 = rows + width, r2 = r1 + width, r3 = r2 + width;
            var (a, b, c, d) = (Vector512<double>.Zero, Vector512<double>.Zero, Vector512<double>.Zero, Vector512<double>.Zero);
            for (var j = 0; j < width; j += 8)
            {
                var by = Vector512.Load(coefficients + j);
                a += Vector512.Load(rows + j) * by;
                b += Vector512.Load(r1 + j) * by;
                c += Vector512.Load(r2 + j) * by;
                d += Vector512.Load(r3 + j) * by;
            }
            products[i] = Lanes.Sum(a);
            products[i + 1] = Lanes.Sum(b);
            products[i + 2] = Lanes.Sum(c);
            products[i + 3] = Lanes.Sum(d);
        }
        for (; i < count; i++, rows += width)
        {
            var a = Vector512<double>.Zero;
            for (var j = 0; j < width; j += 8) a += Vector512.Load(rows + j) * Vector512.Load(coefficients + j);
            products[i] = Lanes.Sum(a);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddDense(double* rows, int width, int count, double* factors, double* sums)
    {
        var j = 0;
        for (; j + 24 < width; j += 32)
        {
            var (a, b, c, d) = (Vector512.Load(sums + j), Vector512.Load(sums + j + 8), Vector512.Load(sums + j + 16), Vector512.Load(sums + j + 24));
            var row = rows + j;
            for (var i = 0; i < count; i++, row += width)
            {
                var factor = Vector512.Create(factors[i]);
                a += factor * Vector512.Load(row);
                b += factor * Vector512.Load(row + 8);
                c += factor * Vector512.Load(row + 16);
                d += factor * Vector512.Load(row + 24);
            }
            a.Store(sums + j);
            b.Store(sums + j + 8);
            c.Store(sums + j + 16);
            d.Store(sums + j + 24);
        }
        for (; j < width; j += 8)
        {
            var a = Vector512.Load(sums + j);
            var row = rows + j;
            for (var i = 0; i < count; i++, row += width) a += Vector512.Create(factors[i]) * Vector512.Load(row);
            a.Store(sums + j);
        }
    }
}
