using MathNet.Numerics.LinearAlgebra;

namespace Dataflow.MLlib.Linalg;

/// <summary>Eigenvalues of a symmetric matrix in falling order, and vectors of length 1 whose number of largest absolute value is positive (the first of equal
/// ones).</summary>
/// <param name="Values">Falling.</param>
/// <param name="Vectors">One array a value.</param>
internal sealed record SymmetricEigen(double[] Values, double[][] Vectors)
{
    /// <summary>Of a matrix given by its numbers.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <param name="at">The number at row and column; asked for with the row not greater than the column.</param>
    public static SymmetricEigen Of(int size, Func<int, int, double> at)
    {
        var matrix = Matrix<double>.Build.Dense(size, size);
        for (var i = 0; i < size; i++)
        {
            for (var j = i; j < size; j++) matrix[i, j] = matrix[j, i] = at(i, j);
        }
        var parts = matrix.Evd(Symmetricity.Symmetric);
        int[] order = [.. Enumerable.Range(0, size).OrderByDescending(i => parts.EigenValues[i].Real).ThenBy(i => i)];
        return new SymmetricEigen(Array.ConvertAll(order, i => parts.EigenValues[i].Real), Array.ConvertAll(order, i => Turned(parts.EigenVectors.Column(i).ToArray())));
    }

    private static double[] Turned(double[] vector)
    {
        var largest = 0;
        for (var i = 1; i < vector.Length; i++)
        {
            // Numbers that are equal but for rounding count as equal, so that signs do not hang on it.
            if (Math.Abs(vector[i]) > Math.Abs(vector[largest]) * (1 + 1e-9)) largest = i;
        }
        return vector[largest] < 0 ? Array.ConvertAll(vector, value => -value) : vector;
    }
}
