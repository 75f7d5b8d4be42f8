namespace Dataflow.MLlib;

/// <summary>How neighbours are found.</summary>
public enum NeighborAlgorithm
{
    /// <summary><see cref="BallTree"/> for Euclidean, Manhattan, Chebyshev and Minkowski distances of f features, at most 10, and 250 x 2^f rows or more, where it was measured
    /// to answer many queries as fast as brute force and single ones much faster; else <see cref="BruteForce"/>. Always exact.</summary>
    Auto,

    /// <summary>Every query against every row, in tiles that stay in registers: exact. About 2 x rows x features operations a query, at the rate of a matrix product.</summary>
    BruteForce,

    /// <summary>Balls within balls (Omohundro 1989), exact: rows that lie in balls too far away are never looked at. For few features.</summary>
    BallTree,

    /// <summary>A hierarchy of small worlds (Malkov and Yashunin 2018), approximate, for every metric: for millions of rows of many features. Costs much to build and 8 x M bytes a row. Of
    /// hundreds of equal rows it may not find each.</summary>
    Hnsw,

    /// <summary>Lists of rows around centres of k-means, with product quantisation if wanted (Jegou, Douze and Schmid 2011), approximate: little memory, quick to
    /// build. Not for Hamming and Jaccard distances; quantised for Euclidean distances, cosine and inner product only.</summary>
    Ivf,
}
