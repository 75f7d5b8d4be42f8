using Dataflow.MLlib.Data;
using MathNet.Numerics.LinearAlgebra;

namespace Dataflow.MLlib.Linalg;

/// <summary>A matrix of many rows and few columns, whose rows are shared out over an Rdd. Lazy: rows are read when a result is asked for.</summary>
/// <remarks>Results that are columns x columns are computed in one pass and held by the caller: up to 4,096 columns. Equal partitions give equal
/// bits.</remarks>
public sealed class RowMatrix
{
    private readonly Rdd<FeatureBlock> _blocks;

    private RowMatrix(Rdd<FeatureBlock> blocks) => _blocks = blocks;

    /// <summary>The rows of an Rdd.</summary>
    /// <param name="rows">Rows of one length.</param>
    public static RowMatrix Of(Rdd<double[]> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return new RowMatrix(rows.MapPartitions(Blocks));
    }

    /// <summary>Columns of a frame: numbers, or the elements of vectors.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="columns">Their names.</param>
    /// <exception cref="QueryException">One is missing, or neither number nor vector.</exception>
    public static RowMatrix Of(DataFrame frame, params string[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return new RowMatrix(FeatureBlock.Read(frame, FeatureColumns.Of(frame, columns, nameof(RowMatrix)), nameof(RowMatrix)));
    }

    /// <summary>The rows.</summary>
    public Rdd<double[]> Rows => _blocks.FlatMap(block => Enumerable.Range(0, block.Rows).Select(row => block.Values[(row * block.Width)..((row + 1) * block.Width)]));

    /// <summary>How many rows there are.</summary>
    /// <remarks>Action.</remarks>
    public long RowCount() => _blocks.Map(block => (long)block.Rows).Collect().Sum();

    /// <summary>The mean of each column.</summary>
    /// <remarks>Action: one pass.</remarks>
    /// <exception cref="QueryException">There are no rows, or they differ in length.</exception>
    public double[] ColumnMeans() => FeatureMoments.OfAsync(_blocks, nameof(RowMatrix), default).GetAwaiter().GetResult().Means;

    /// <summary>The product of the transposed matrix and itself, columns x columns.</summary>
    /// <remarks>Action: one pass, rows x columns² / 2 multiplications.</remarks>
    /// <exception cref="QueryException">There are no rows, they differ in length, or have more than 4,096 columns.</exception>
    public Matrix<double> Gramian()
    {
        var sums = Sums();
        return Square(sums.Width, (i, j) => sums.Of(i, j) + (sums.Weight * sums.Means[i] * sums.Means[j]));
    }

    /// <summary>The covariances of columns (of a sample, rows - 1), columns x columns.</summary>
    /// <remarks>Action: one pass, rows x columns² / 2 multiplications. Large means cost no digits.</remarks>
    /// <exception cref="QueryException">There are fewer than two rows, they differ in length, or have more than 4,096 columns.</exception>
    public Matrix<double> Covariance()
    {
        var sums = Sums();
        if (sums.Rows < 2) throw new QueryException("EMPTY_INPUT", "Covariances need two rows or more, and there is one.");
        return Square(sums.Width, (i, j) => sums.Of(i, j) / (sums.Weight - 1));
    }

    /// <summary>The product of this matrix and a small one on the right.</summary>
    /// <remarks>Transformation, narrow: the small matrix travels with the tasks.</remarks>
    /// <param name="right">columns x any.</param>
    public RowMatrix Multiply(Matrix<double> right)
    {
        ArgumentNullException.ThrowIfNull(right);
        var (columns, height, width) = (right.Transpose().ToRowMajorArray(), right.RowCount, right.ColumnCount);
        return new RowMatrix(_blocks.Map(block => Product(block, columns, height, width)));
    }

    /// <summary>The <paramref name="count"/> largest singular values, and their vectors: this matrix is about U x diagonal of S x transposed V.</summary>
    /// <remarks>Action: one pass for V and S, from the eigenvectors of the <see cref="Gramian"/>: for many more rows than columns. Singular values below about
    /// 1e-8 of the largest drown in rounding. U is lazy.</remarks>
    /// <param name="count">How many, from 1 to the number of columns. Fewer come back if the matrix has a lower rank.</param>
    /// <param name="withU">Whether U is wanted.</param>
    /// <exception cref="QueryException">As for <see cref="Gramian"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is out of range.</exception>
    public (RowMatrix? U, double[] S, Matrix<double> V) Svd(int count, bool withU = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var gramian = Gramian();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, gramian.ColumnCount);
        for (var i = 0; i < gramian.ColumnCount; i++)
        {
            if (!double.IsFinite(gramian[i, i])) throw FeatureMoments.Overflow(nameof(RowMatrix), $"column {i}");
        }
        var eigen = SymmetricEigen.Of(gramian.ColumnCount, (i, j) => gramian[i, j]);
        double[] values = [.. eigen.Values.Take(count).TakeWhile(value => value > 1e-15 * eigen.Values[0] && value > 0).Select(Math.Sqrt)];
        if (values.Length == 0) throw new QueryException("SINGULAR_MATRIX", "All numbers of the matrix are 0, so it has no singular vectors.");
        var vectors = Matrix<double>.Build.DenseOfColumnArrays(eigen.Vectors[..values.Length]);
        return (withU ? Multiply(vectors * Matrix<double>.Build.DenseOfDiagonalArray(Array.ConvertAll(values, value => 1 / value))) : null, values, vectors);
    }

    private GramSums Sums()
    {
        var most = Pca.MostFeatures;
        return GramSums.OfAsync(_blocks.Map(block => Checked(block, most)), withLabel: false, nameof(RowMatrix), default).GetAwaiter().GetResult();
    }

    private static FeatureBlock Checked(FeatureBlock block, int most) => block.Width <= most
        ? block
        : throw new QueryException("TOO_MANY_FEATURES", $"Products of columns are made of up to {most} columns, and there are {block.Width}.");

    private static Matrix<double> Square(int size, Func<int, int, double> at) => Matrix<double>.Build.Dense(size, size, (i, j) => at(Math.Min(i, j), Math.Max(i, j)));

    private static FeatureBlock Product(FeatureBlock block, double[] columns, int height, int width)
    {
        if (block.Width != height) throw new QueryException("VECTOR_SIZE_MISMATCH",
            $"A matrix of {height} rows can't multiply rows of {block.Width} numbers from the right.");
        var values = new double[block.Rows * width];
        for (var row = 0; row < block.Rows; row++)
        {
            var from = block.Values.AsSpan(row * height, height);
            for (var j = 0; j < width; j++) values[(row * width) + j] = RowProducts.Multiply(from, columns.AsSpan(j * height, height));
        }
        return new FeatureBlock(width, values, [], []);
    }

    private static IEnumerable<FeatureBlock> Blocks(IEnumerable<double[]> rows)
    {
        foreach (var some in rows.Chunk(4096))
        {
            var width = some[0].Length;
            var values = new double[some.Length * width];
            for (var i = 0; i < some.Length; i++)
            {
                if (some[i].Length != width) throw new QueryException("VECTOR_SIZE_MISMATCH",
                    $"Some rows have {width} numbers and others {some[i].Length}. All rows of a matrix must have one length.");
                some[i].CopyTo(values, i * width);
            }
            yield return new FeatureBlock(width, values, [], []);
        }
    }
}
