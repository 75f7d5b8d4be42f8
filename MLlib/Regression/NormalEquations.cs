using Dataflow.MLlib.Linalg;
using Dataflow.MLlib.Optimization;
using MathNet.Numerics.LinearAlgebra;

namespace Dataflow.MLlib.Regression;

/// <summary>
/// Least squares from sums of products alone: the rows are read once, and all the rest happens on a matrix of features x features. Solved by Cholesky factors,
/// or by L-BFGS and OWL-QN on the same matrix where it is singular or absolute values are penalised.
/// </summary>
internal sealed class NormalEquations
{
    /// <summary>Most features for which the matrix is made.</summary>
    public const int MostFeatures = 4096;

    // A factor whose square is below this share of its feature's variance: the feature follows from the ones before it but for rounding.
    private const double Singular = 1e-11;

    private readonly int[] _used;
    private readonly double[] _scales;
    private readonly double[] _squaredPenalties;
    private readonly double[] _absolutePenalties;
    private readonly Matrix<double> _products;
    private readonly double[] _target;
    private readonly double _labelSquares;
    private readonly int _width;
    private readonly double[] _allScales;

    /// <summary>The equations.</summary>
    /// <param name="sums">Of features and label.</param>
    /// <param name="penalty">What is penalised.</param>
    /// <param name="hasIntercept">Whether deviations from means count.</param>
    public NormalEquations(GramSums sums, Penalty penalty, bool hasIntercept)
    {
        _width = sums.Width - 1;
        var scales = penalty.ScalesOf(sums.SampleDeviations()[.._width], sums.Means, hasIntercept, curvature: 1);
        _allScales = scales;
        _used = [.. Enumerable.Range(0, _width).Where(i => scales[i] > 0)];
        _scales = Array.ConvertAll(_used, i => scales[i]);
        _squaredPenalties = penalty.Squared(_scales);
        _absolutePenalties = penalty.Absolute(_scales);
        _products = Matrix<double>.Build.Dense(_used.Length, _used.Length);
        _target = new double[_used.Length];
        for (var i = 0; i < _used.Length; i++)
        {
            for (var j = i; j < _used.Length; j++) _products[i, j] = _products[j, i] = Product(_used[i], _used[j]) / (_scales[i] * _scales[j]);
            _target[i] = Product(_used[i], _width) / _scales[i];
        }
        _labelSquares = Product(_width, _width);

        double Product(int left, int right) => (sums.Of(left, right) / sums.Weight) + (hasIntercept ? 0 : sums.Means[left] * sums.Means[right]);
    }

    /// <summary>Whether absolute values are penalised, so that Cholesky can't solve it.</summary>
    public bool HasAbsolutePenalties => Array.Exists(_absolutePenalties, penalty => penalty > 0);

    /// <summary>Coefficients by Cholesky factors; null if features depend on each other.</summary>
    public (double[] Coefficients, Minimum End)? TrySolve()
    {
        var point = new double[_used.Length];
        if (point.Length > 0)
        {
            var matrix = _products.Clone();
            for (var i = 0; i < point.Length; i++) matrix[i, i] += _squaredPenalties[i];
            try
            {
                var factors = matrix.Cholesky();
                for (var i = 0; i < point.Length; i++)
                {
                    if (!(factors.Factor[i, i] * factors.Factor[i, i] > Singular * matrix[i, i])) return null;
                }
                point = factors.Solve(Vector<double>.Build.Dense(_target)).ToArray();
            }
            catch (ArgumentException)
            {
                // How the library says that the matrix is not positive definite.
                return null;
            }
        }
        var value = Value(point, new double[point.Length]);
        return (Unscale(point), new Minimum(point, value, [value], StopReason.Converged));
    }

    /// <summary>Coefficients by descent, from 0: of many solutions the one closest to it.</summary>
    public async Task<(double[] Coefficients, Minimum End)> DescendAsync(Lbfgs optimizer, CoefficientBounds bounds, CancellationToken cancellationToken)
    {
        Objective objective = (point, gradient, _) => Task.FromResult(Value(point, gradient));
        var unit = ScaledObjective.Unit(Math.Sqrt(_labelSquares));
        double[] units = [.. Enumerable.Repeat(unit, _used.Length)];
        var end = await new ScaledObjective(objective, unit * unit, units)
            .MinimizeAsync(optimizer, new double[_used.Length], _absolutePenalties, bounds.Any ? BoxOf(bounds) : null, cancellationToken).ConfigureAwait(false);
        return (Unscale(end.Point), end);
    }

    private Box BoxOf(CoefficientBounds bounds)
    {
        // Of all features, so that bounds are counted and constants checked; then of those that are used.
        var all = bounds.Of(_allScales, 1, _width, nameof(LinearRegression));
        return all.Select(_used);
    }

    private double Value(double[] point, double[] gradient)
    {
        double value = 0;
        for (var i = 0; i < point.Length; i++)
        {
            double sum = 0;
            for (var j = 0; j < point.Length; j++) sum += _products[i, j] * point[j];
            gradient[i] = sum - _target[i] + (_squaredPenalties[i] * point[i]);
            value += point[i] * ((sum / 2) - _target[i] + (_squaredPenalties[i] * point[i] / 2));
        }
        return value + (_labelSquares / 2);
    }

    private double[] Unscale(double[] point)
    {
        var coefficients = new double[_width];
        for (var i = 0; i < point.Length; i++) coefficients[_used[i]] = point[i] / _scales[i];
        return coefficients;
    }
}
