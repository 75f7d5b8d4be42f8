namespace Dataflow.MLlib;

/// <summary>How far apart two rows are. Rows are ordered by it, those equally far by their id.</summary>
/// <remarks>Distances are computed in double precision of the features as single-precision numbers, in one order of operations: the same bits on every machine.</remarks>
public enum DistanceMetric
{
    /// <summary>The square root of the sum of squared differences.</summary>
    Euclidean,

    /// <summary>The sum of squared differences: the order of <see cref="Euclidean"/> without the root.</summary>
    SquaredEuclidean,

    /// <summary>One less the cosine of the angle, from 0 to 2. A row of zeros has distance 1 from every row, as in scikit-learn.</summary>
    Cosine,

    /// <summary>The inner product with its sign turned: the largest product is nearest. Not a metric; distances may be negative.</summary>
    InnerProduct,

    /// <summary>The sum of absolute differences.</summary>
    Manhattan,

    /// <summary>The largest absolute difference.</summary>
    Chebyshev,

    /// <summary>The sum of absolute differences to a power p of 1 or more, to the power 1/p. Powers that are not whole cost a transcendental function a feature.</summary>
    Minkowski,

    /// <summary>The part of the features that differ, from 0 to 1.</summary>
    Hamming,

    /// <summary>Of the features that are not zero in one row or the other, the part that are zero in one of them, from 0 to 1; 0 for two rows of zeros.</summary>
    Jaccard,
}
